"""Tokens of installed workspaces are sealed before they reach the database: a copy of it alone opens no workspace."""

import base64
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core.errors import ConfigurationError

_ABOUT = b"glimt: tokens of Slack workspaces"
_REMEDY = (
    "The tokens of Slack workspace {owner} cannot be opened with GLIMT_SLACK_TOKEN_KEYS. Put the key that sealed them "
    "back, behind the new one, or have that workspace install the app again."
)


class Seal:
    """Seals with the first of `keys` and opens with any. Keys are texts of 32 characters or more, of full entropy.

    Raises:
        ConfigurationError: there is no key.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise ConfigurationError("GLIMT_SLACK_TOKEN_KEYS is empty: openssl rand -hex 32")
        self._fernet = MultiFernet([Fernet(_derived(key)) for key in keys])

    def close(self, secret: str, owner: str) -> str:
        """`secret`, readable only with the key and only as `owner`'s: whoever writes to the database cannot give one
        workspace the token of another."""
        return self._fernet.encrypt(f"{owner}\n{secret}".encode()).decode()

    def open(self, sealed: str, owner: str) -> str:
        """What was sealed.

        Raises:
            ConfigurationError: no key opens it, or it is somebody else's.
        """
        try:
            sealed_for, _, secret = self._fernet.decrypt(sealed.encode()).decode().partition("\n")
        except InvalidToken:
            raise ConfigurationError(_REMEDY.format(owner=owner)) from None
        if sealed_for != owner:
            raise ConfigurationError(_REMEDY.format(owner=owner))
        return secret


def _derived(key: str) -> bytes:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=_ABOUT).derive(key.encode())
    return base64.urlsafe_b64encode(derived)
