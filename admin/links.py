"""Links that sign an admin in, once."""

from datetime import timedelta

from core.store.admin_tables import Admin
from core.store.database import Repositories
from core.values import utc_now
from serving.secrets import hash_secret, new_secret

LINK_LASTS = timedelta(hours=1)


def add_link(repositories: Repositories, admin: Admin) -> str:
    """Make a link's secret; it is shown this once, SQL keeps its SHA-256."""
    secret = new_secret()
    repositories.admin_sessions.add_link(hash_secret(secret), admin.id, utc_now() + LINK_LASTS)
    return secret


def link_address(base: str, secret: str) -> str:
    """Where the link leads, for a console at `base` (without a slash at its end)."""
    return f"{base}/link/{secret}"
