"""Secrets that are random enough to be stored as a plain digest."""

import secrets
from hashlib import sha256


def new_secret() -> str:
    """256 random bits, for a cookie or a link."""
    return secrets.token_urlsafe(32)


def hash_secret(secret: str) -> str:
    """What SQL keeps of a key, a cookie or a link. All are 256 random bits, so a fast hash keeps them as safe as a slow
    one; looking one up by its hash tells nothing through timing."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
