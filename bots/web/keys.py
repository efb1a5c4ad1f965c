"""Keys of the REST API and the chat page: made, listed and revoked by `glimt keys`."""

from collections.abc import Sequence
from datetime import datetime

from core.errors import RequestError
from core.store.database import Store
from core.store.models import ApiKey
from core.values import Platform
from serving.secrets import hash_secret, new_secret

PREFIX = "glimt_"
# The workspace of everybody who comes by HTTP.
WORKSPACE = "local"
NAME_MAX_CHARS = 100


def create_key(store: Store, name: str) -> str:
    """Make a key and return it; it is shown this once, SQL keeps its SHA-256.

    `name` is who the key's user is known as, and cannot be given again, not even after the key was revoked.

    Raises:
        RequestError: the name is taken, empty, too long, not printable or contains a slash.
    """
    name = name.strip()
    # A slash ends the name where a program names its own end users: `key:NAME/USER`.
    if not name or len(name) > NAME_MAX_CHARS or not name.isprintable() or "/" in name:
        raise RequestError(user_message=f"A key's name has 1 to {NAME_MAX_CHARS} printable characters and no slash.")
    secret = PREFIX + new_secret()
    with store.write() as repositories:
        workspace = repositories.people.workspace(Platform.API, WORKSPACE)
        person = repositories.people.person(workspace.id, person_of_key(name), display_name=name)
        repositories.keys.create(name, person.id, hash_secret(secret))
    return secret


def list_keys(store: Store) -> Sequence[ApiKey]:
    """All keys, revoked ones too, oldest first."""
    with store.read() as repositories:
        return repositories.keys.list()


def revoke_key(store: Store, name: str, now: datetime) -> bool:
    """End a key and the browser sessions made with it. False: no such key, or it was revoked before."""
    with store.write() as repositories:
        return repositories.keys.revoke(name, now)


def person_of_key(name: str) -> str:
    """How a workspace calls the person who holds the key `name`."""
    return f"key:{name}"
