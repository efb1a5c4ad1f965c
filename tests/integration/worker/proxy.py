"""A way to Redis that can fall silent without being closed, as when a firewall forgets a connection."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class SilentProxy:
    """Passes bytes between its own Unix socket and another one."""

    def __init__(self, listener: socket.socket, server: Path) -> None:
        self._listener = listener
        self._server = server
        self._silenced = threading.Event()
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def silence(self) -> None:
        """From now on nothing passes through the connections that exist; new ones work."""
        silenced, self._silenced = self._silenced, threading.Event()
        silenced.set()

    def close(self) -> None:
        """End everything."""
        for one in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(str(self._server))
                self._sockets += [client, server]
                for ends in ((client, server), (server, client)):
                    threading.Thread(target=self._pass_on, args=(*ends, self._silenced), daemon=True).start()

    @staticmethod
    def _pass_on(source: socket.socket, target: socket.socket, silenced: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if not silenced.is_set():
                    target.sendall(data)
            if not silenced.is_set():
                target.shutdown(socket.SHUT_WR)


@contextmanager
def listening(path: Path) -> Iterator[socket.socket]:
    """A Unix socket that lets everybody in; who never accepts is a server that never answers."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(128)
        yield listener


@contextmanager
def silent_proxy(path: Path, server: Path) -> Iterator[SilentProxy]:
    """A proxy at `path` to the server at `server`."""
    with listening(path) as listener:
        proxy = SilentProxy(listener, server)
        try:
            yield proxy
        finally:
            proxy.close()
