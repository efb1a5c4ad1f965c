"""Who can reach this server, and whether it may start without keys."""

from urllib.parse import urlsplit

from core.errors import ConfigurationError
from core.settings import Settings
from core.store.database import Store
from serving.addresses import is_loopback


def beyond_loopback(settings: Settings) -> bool:
    """Whether other machines can reach the server: by the bound address, or through a proxy at `public_url`."""
    public = public_host(settings)
    return not is_loopback(settings.host) or (public != "" and not is_loopback(public))


def public_host(settings: Settings) -> str:
    """Host name of `public_url` in lower case, without its port; empty if the setting is.

    Raises:
        ConfigurationError: the setting is no address.
    """
    if not settings.public_url:
        return ""
    try:
        parts = urlsplit(settings.public_url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError("GLIMT_PUBLIC_URL must be an address such as https://glimt.example.org")
    return parts.hostname


def check_binding(settings: Settings, store: Store) -> None:
    """Refuse to serve strangers: beyond loopback at least one key must have been made.

    Raises:
        ConfigurationError: there is none.
    """
    if not beyond_loopback(settings):
        return
    with store.read() as repositories:
        if repositories.keys.any():
            return
    by_address = not is_loopback(settings.host)
    where = f"GLIMT_HOST={settings.host}" if by_address else f"GLIMT_PUBLIC_URL={settings.public_url}"
    raise ConfigurationError(
        f"{where} lets other machines in, but no key is valid. Make one first: glimt keys create --name NAME"
    )
