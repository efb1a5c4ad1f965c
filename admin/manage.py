"""What whoever runs Glimt does with admins from the command line."""

from collections.abc import Iterator
from contextlib import contextmanager

from admin.links import add_link, link_address
from admin.names import checked_email, checked_name
from admin.passwords import hash_password
from core.admins import Action, Role
from core.errors import NotFound
from core.settings import Settings
from core.store.admin_tables import Admin
from core.store.database import Repositories, Store
from core.store.migrate import require_current
from core.values import utc_now

# Who the audit log says it was.
COMMAND_LINE = "command line"
# Whom `glimt up` makes on a machine that nobody else reaches.
LOCAL_OWNER = "local"


def console_url(settings: Settings) -> str:
    """Address of the console, without a slash at its end."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return settings.console_url or f"http://{host}:{settings.console_port}"


def create_admin(
    settings: Settings, name: str, role: Role, *, email: str = "", everywhere: bool = False, password: str = ""
) -> None:
    """Add an admin; without a password he comes in by the provider or by a link.

    Raises:
        RequestError: the name or the address is none or taken, or the password too short.
    """
    name, email = checked_name(name), checked_email(email)
    password_hash = hash_password(password) if password else ""
    with _opened(settings) as store, store.write() as repositories:
        repositories.admins.add(name, role, email=email, everywhere=everywhere, password_hash=password_hash)
        _note(repositories, Action.ADMIN_ADDED, name, role=role.value, email=email, everywhere=everywhere)


def list_admins(settings: Settings) -> list[Admin]:
    """All of them, by name."""
    require_current(settings.sql_url)
    with _opened(settings) as store, store.read() as repositories:
        return repositories.admins.list()


def make_link(settings: Settings, name: str, base: str) -> str:
    """A link that signs this admin in, once.

    Raises:
        NotFound: there is no such admin who may sign in.
    """
    require_current(settings.sql_url)
    with _opened(settings) as store, store.write() as repositories:
        admin = _known(repositories, name)
        if admin.disabled_at is not None:
            raise NotFound(f"{name!r} is disabled. Run: glimt admins enable {name!r}")
        secret = add_link(repositories, admin)
        _note(repositories, Action.LINK_MADE, name)
    return link_address(base, secret)


def set_password(settings: Settings, name: str, password: str) -> None:
    """Replace a password and end the sessions of whoever had it.

    Raises:
        NotFound: there is no such admin.
        RequestError: it is too short.
    """
    require_current(settings.sql_url)
    password_hash = hash_password(password)
    with _opened(settings) as store, store.write() as repositories:
        admin = _known(repositories, name)
        repositories.admins.set_password(admin.id, password_hash)
        ended = repositories.admin_sessions.end_all(admin.id)
        _note(repositories, Action.ADMIN_CHANGED, name, password=True, sessions=ended)


def set_enabled(settings: Settings, name: str, *, enabled: bool) -> None:
    """Let an admin in, or in no more.

    Raises:
        NotFound: there is no such admin.
        RequestError: he is the last owner.
    """
    require_current(settings.sql_url)
    with _opened(settings) as store, store.write() as repositories:
        admin = _known(repositories, name)
        if enabled:
            repositories.admins.enable(admin.id)
        else:
            repositories.admins.disable(admin.id, utc_now())
            repositories.admin_sessions.end_all(admin.id)
            repositories.admin_tokens.end_all(admin.id)
        _note(repositories, Action.ADMIN_CHANGED, name, disabled=not enabled)


def local_owner_link(settings: Settings) -> str:
    """A link for the owner of a machine that nobody else reaches; he is made if there is no admin yet.

    Empty: admins exist, but he is none of them, or was disabled.
    """
    with _opened(settings) as store, store.write() as repositories:
        if repositories.admins.count() == 0:
            repositories.admins.add(LOCAL_OWNER, Role.OWNER, everywhere=True)
            _note(repositories, Action.ADMIN_ADDED, LOCAL_OWNER, role=Role.OWNER.value)
        owner = repositories.admins.by_name(LOCAL_OWNER)
        if owner is None or owner.disabled_at is not None:
            return ""
        secret = add_link(repositories, owner)
        _note(repositories, Action.LINK_MADE, LOCAL_OWNER)
    return link_address(console_url(settings), secret)


@contextmanager
def _opened(settings: Settings) -> Iterator[Store]:
    store = Store(settings.sql_url, pool_size=1)
    try:
        yield store
    finally:
        store.close()


def _known(repositories: Repositories, name: str) -> Admin:
    admin = repositories.admins.by_name(name)
    if admin is None:
        raise NotFound(f"There is no admin named {name!r}. `glimt admins list` shows them.")
    return admin


def _note(repositories: Repositories, action: Action, name: str, **detail: object) -> None:
    repositories.audit.add(action, admin_name=COMMAND_LINE, detail={"name": name, **detail})
