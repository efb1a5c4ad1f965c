"""Passwords of admins, kept as Argon2id with the parameters of RFC 9106 for little memory (argon2-cffi's defaults)."""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from core.errors import RequestError

SHORTEST = 12
LONGEST = 200
_HASHER = PasswordHasher()


@cache
def _nobodys() -> str:
    """Compared with where nobody has the name that was given, so that the time tells nothing."""
    return _HASHER.hash("nobody has this password")


def hash_password(password: str) -> str:
    """What SQL keeps of a password.

    Raises:
        RequestError: it is too short or too long.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise RequestError(user_message=f"A password has {SHORTEST} to {LONGEST} characters. A few random words do.")
    return _HASHER.hash(password)


def is_right(password: str, password_hash: str) -> bool:
    """Whether this is the password; an empty hash is nobody's, and takes as long."""
    try:
        return _HASHER.verify(password_hash or _nobodys(), password[: LONGEST + 1]) and password_hash != ""
    except (Argon2Error, InvalidHashError):
        return False
