"""Where a request comes from: our own page, another site, or no browser at all.

Browsers tell in `Sec-Fetch-Site` (https://www.w3.org/TR/fetch-metadata/), older ones in `Origin`. A page on another
port of this machine is `same-site` and gets SameSite cookies along, so only `same-origin` counts as ours.
"""

from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from core.errors import NotAllowed

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
REMEDY = "Open the page at its own address; behind a proxy your admin sets GLIMT_PUBLIC_URL."
FOREIGN = f"This request came from another site and was refused. {REMEDY}"
UNTOLD = f"The browser does not say which page sent this, so it was refused. {REMEDY}"


class OriginCheck:
    """Tells requests of other sites apart. `public_url` is where browsers find the page, if they are told."""

    def __init__(self, public_url: str) -> None:
        self._public_origin = _origin_of(public_url) if public_url else ""

    def refuse_foreign(self, connection: HTTPConnection) -> None:
        """Let through what our page or no browser sent.

        Raises:
            NotAllowed: a browser says that another site sent this.
        """
        site = connection.headers.get("sec-fetch-site")
        if site is not None:
            # `none`: typed or bookmarked by the user himself.
            if site not in ("same-origin", "none"):
                raise NotAllowed(user_message=FOREIGN)
            return
        origin = connection.headers.get("origin")
        if origin is not None and not self._is_ours(origin, connection):
            raise NotAllowed(user_message=FOREIGN)

    def require_ours(self, connection: HTTPConnection) -> None:
        """The rule for whatever a cookie authenticates: a change must say that our own page asked for it.

        Raises:
            NotAllowed: another site sent this, or it changes something and nothing tells who sent it.
        """
        self.refuse_foreign(connection)
        told = "sec-fetch-site" in connection.headers or "origin" in connection.headers
        if not told and connection.scope["method"] not in SAFE_METHODS:
            raise NotAllowed(user_message=UNTOLD)

    def admit_links(self, connection: HTTPConnection) -> None:
        """As `require_ours`, but somebody may follow a link on another site to a page of ours, which changes nothing.

        Raises:
            NotAllowed: as `require_ours`.
        """
        followed = connection.scope["method"] in SAFE_METHODS and connection.headers.get("sec-fetch-mode") == "navigate"
        # Not `iframe`, `embed` or `object`, which a browser also navigates.
        if not (followed and connection.headers.get("sec-fetch-dest") == "document"):
            self.require_ours(connection)

    def _is_ours(self, origin: str, connection: HTTPConnection) -> bool:
        if self._public_origin and origin == self._public_origin:
            return True
        # The scheme is not compared: a proxy may speak TLS for us without saying so.
        host = connection.headers.get("host", "").lower()
        try:
            return bool(host) and urlsplit(origin).netloc.lower() == host
        except ValueError:
            return False


def _origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()
