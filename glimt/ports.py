"""Ports: a taken one is explained before anything starts."""

import socket

from core.errors import ConfigurationError
from core.settings import Settings


def free_port(host: str) -> int:
    """Some port of `host` that nobody listens on now.

    Raises:
        ConfigurationError: no such host here.
    """
    with socket.socket(_family(host)) as probe:
        try:
            probe.bind((host, 0))
        except OSError as error:
            raise ConfigurationError(f"GLIMT_HOST={host} is no address of this machine ({error.strerror}).") from error
        return int(probe.getsockname()[1])


def require_free(host: str, port: int, setting: str) -> None:
    """Check that we could listen there.

    Raises:
        ConfigurationError: saying which setting to change.
    """
    with socket.socket(_family(host)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigurationError(
                f"Cannot listen on {host}:{port} ({error.strerror}). If another program uses the port, "
                f"choose another one: {setting}={port + 10}, or 0 for any free one."
            ) from error


def settled(settings: Settings) -> Settings:
    """The same settings with each port 0 replaced by one that is free now.

    Raises:
        ConfigurationError: GLIMT_HOST is no address of this machine.
    """
    unsettled = [name for name in ("web_port", "console_port") if getattr(settings, name) == 0]
    return settings.model_copy(update={name: free_port(settings.host) for name in unsettled}) if unsettled else settings


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
