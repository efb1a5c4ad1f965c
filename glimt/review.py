"""The review console beside everything else: whether it is here, and how its owner gets in."""

import importlib.util
from collections.abc import Callable
from urllib.parse import urlsplit

from core.settings import Settings
from serving.addresses import is_loopback

_NEEDS = ("argon2", "authlib", "joserfc", "httpx2", "markdown_it")


def console_installed() -> bool:
    """Whether the packages of `glimt[console]` are here."""
    return all(importlib.util.find_spec(name) is not None for name in _NEEDS)


def say_console(settings: Settings, say: Callable[[str], None]) -> None:
    """Tell where the console is; on a machine that nobody else reaches with a link that signs its owner in, once."""
    if not console_installed():
        say("The review console is not installed: pip install 'glimt[console]'")
        return
    from admin.manage import console_url, local_owner_link

    url = console_url(settings)
    # Whoever reads these lines on such a machine can do everything with its database anyway.
    only_here = is_loopback(settings.host) and is_loopback(urlsplit(url).hostname or "")
    link = local_owner_link(settings) if only_here else ""
    if link:
        say(f"Review console: {link} (signs you in, once, within an hour)")
    else:
        say(f"Review console: {url}/ (an owner: glimt admins create --name NAME)")
