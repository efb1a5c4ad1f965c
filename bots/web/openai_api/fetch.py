"""Getting pictures from the hosts that `GLIMT_PICTURE_HOSTS` lists, and from nowhere else.

The address that was checked is the address that is connected to, so a name cannot change its mind in between; each
redirect is checked like the first address. Standard library only: proxies and cookies of the environment play no part.
"""

import http.client
import socket
import ssl
import threading
from collections.abc import Iterable
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import SplitResult, urljoin, urlsplit

from core.errors import PictureError
from core.media.limits import too_large

CONNECT_TIMEOUT_S = 5.0
SILENCE_S = 10.0
MAX_REDIRECTS = 3
_CHUNK = 64 * 1024
_PORTS = {"http": 80, "https": 443}


class Line:
    """The connection of one fetch, which another thread can cut at any time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._is_cut = False

    def hold(self, connected: socket.socket) -> None:
        """From now on this is the connection.

        Raises:
            ConnectionAbortedError: the line was cut before.
        """
        with self._lock:
            if self._is_cut:
                raise ConnectionAbortedError
            self._socket = connected

    def let_go(self) -> None:
        """The connection is about to be closed."""
        with self._lock:
            self._socket = None

    def cut(self) -> None:
        """Whoever reads from the connection comes to its end now; there will be no other one."""
        with self._lock:
            self._is_cut = True
            if self._socket is not None:
                with suppress(OSError):
                    # The plain socket's, because TLS' own takes its state away under the thread that reads.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class PictureHosts:
    """The listed hosts. An entry is `host` (ports 80 and 443) or `host:port`.

    A name must lead to a public address. An entry that is itself an address, such as 10.0.0.7, is used as it is: the
    operator named exactly that machine.
    """

    def __init__(self, entries: Iterable[str]) -> None:
        self._entries = frozenset(entry.lower() for entry in entries)

    def fetch(self, url: str, max_bytes: int, line: Line | None = None) -> bytes:
        """The bytes behind `url`. Blocks until somebody cuts `line`: only the connecting and silences are bounded here,
        and looking up a name is not (see `fetcher`).

        Raises:
            PictureError: the host is not listed, cannot be reached, or answers with something else.
            PictureTooLarge: there are more than `max_bytes`.
        """
        line = line or Line()
        for _ in range(MAX_REDIRECTS + 1):
            parts = self._checked(url)
            try:
                answer = _get(parts, self._address(parts), max_bytes, line)
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise PictureError(user_message=f"It could not be fetched ({type(error).__name__}).") from error
            if isinstance(answer, bytes):
                return answer
            target = urljoin(url, answer.location)
            if parts.scheme == "https" and not target.lower().startswith("https:"):
                raise PictureError(user_message="Its server redirects from https to something less safe.")
            url = target
        raise PictureError(user_message="Its server redirects too often.")

    def _checked(self, url: str) -> SplitResult:
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            raise PictureError(user_message="Its address is not valid.") from None
        if parts.scheme not in _PORTS or not host or not url.isascii() or any(c <= " " for c in url):
            raise PictureError(user_message="Its address is not a plain http or https URL.")
        if parts.username is not None or parts.password is not None:
            raise PictureError(user_message="Its address must not contain a name or a password.")
        shown = f"[{host}]" if ":" in host else host
        listed = f"{shown}:{port}" in self._entries or (port in (None, _PORTS[parts.scheme]) and shown in self._entries)
        if not listed:
            raise PictureError(
                user_message="Pictures are not fetched from this host. Send the picture itself as a data: URL; "
                "an admin can allow hosts with GLIMT_PICTURE_HOSTS."
            )
        return parts

    def _address(self, parts: SplitResult) -> str:
        host = parts.hostname or ""
        try:
            return str(ip_address(host))
        except ValueError:
            pass
        port = parts.port or _PORTS[parts.scheme]
        found = [info[4][0] for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        # One inward address is enough to refuse: the resolver is in somebody else's hands.
        if not found or not all(is_public(str(address)) for address in found):
            raise PictureError(user_message="Its host does not lead to a public address.")
        return str(found[0])


class _Redirect:
    """The server names another address."""

    def __init__(self, location: str) -> None:
        self.location = location


def _get(parts: SplitResult, address: str, max_bytes: int, line: Line) -> bytes | _Redirect:
    connection = _Connection(parts, address, line)
    try:
        path = parts.path or "/"
        headers = {"accept": "image/*,application/pdf", "accept-encoding": "identity", "user-agent": "glimt"}
        connection.request("GET", f"{path}?{parts.query}" if parts.query else path, headers=headers)
        response = connection.getresponse()
        location = response.getheader("location")
        if response.status in (301, 302, 303, 307, 308) and location:
            return _Redirect(location)
        if response.status != 200:
            raise PictureError(user_message=f"Its server answered {response.status}.")
        return _read(response, max_bytes)
    finally:
        line.let_go()
        connection.close()


def _read(response: http.client.HTTPResponse, max_bytes: int) -> bytes:
    data = bytearray()
    while chunk := response.read1(_CHUNK):
        data += chunk
        if len(data) > max_bytes:
            raise too_large(max_bytes)
    if response.length:
        raise PictureError(user_message="Its server stopped in the middle.")
    return bytes(data)


class _Connection(http.client.HTTPConnection):
    """Speaks to `address`, and to nobody else, in the name of the URL's host."""

    def __init__(self, parts: SplitResult, address: str, line: Line) -> None:
        super().__init__(parts.hostname or "", parts.port or _PORTS[parts.scheme], timeout=CONNECT_TIMEOUT_S)
        self._secure = parts.scheme == "https"
        self._address = address
        self._line = line
        # What http.client writes into the Host header: no port where it is the scheme's own.
        self.default_port = _PORTS[parts.scheme]

    def connect(self) -> None:
        """Connect to the checked address; TLS verifies the name."""
        self.sock = socket.create_connection((self._address, self.port), CONNECT_TIMEOUT_S)
        self.sock.settimeout(SILENCE_S)
        if not self._secure:
            self._line.hold(self.sock)
            return
        # The handshake by itself, so that the line can be cut in the middle of it.
        secured = ssl.create_default_context().wrap_socket(
            self.sock, server_hostname=self.host, do_handshake_on_connect=False
        )
        self.sock = secured
        self._line.hold(secured)
        secured.do_handshake()


def is_public(address: str) -> bool:
    parsed: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if isinstance(parsed, IPv6Address):
        # Addresses that carry an IPv4 address lead to that one: mapped, 6to4, and NAT64 (64:ff9b::/96).
        inner = parsed.ipv4_mapped or parsed.sixtofour
        if inner is None and int(parsed) >> 32 == 0x64FF9B << 64:
            inner = IPv4Address(int(parsed) & 0xFFFFFFFF)
        if inner is not None:
            parsed = inner
    return parsed.is_global and not parsed.is_multicast
