"""Which hosts may see a workspace's token when a file is fetched: Slack's own, and no other.

A file object's address is a stranger's claim ("remote files" point wherever their app says), and so is a redirect. On
Slack's own hosts there is also its API, which would do what an address says, in our name.
"""

import re
from posixpath import normpath
from urllib.parse import unquote

from yarl import URL

from core.errors import PictureError

_DOMAINS = ("slack.com", "slack-files.com", "slack-gov.com")


class FileHosts:
    """Slack's hosts over https; where the API is somewhere else (a proxy, a test), exactly that host and port too."""

    def __init__(self, api_url: str) -> None:
        api = URL(api_url)
        self._api = None if _is_slacks(api) else api.origin()

    def check(self, url: str, base: URL | None = None) -> URL:
        """`url`, relative to `base`, as an address that may be asked with the token.

        Raises:
            PictureError: it may not.
        """
        try:
            parsed = URL(url)
            if base is not None:
                parsed = base.join(parsed)
            is_ours = self._is_ours(parsed) and not _is_of_the_api(parsed)
        except ValueError:
            raise PictureError(user_message="Its address is not valid. Please upload it to Slack again.") from None
        if not is_ours:
            raise PictureError(
                user_message="It is not stored in Slack itself, so it is not fetched. Please upload the picture here."
            )
        return parsed

    def knows(self, url: str) -> bool:
        """Whether `url` is an address at Slack, of whatever it may be."""
        try:
            return self._is_ours(URL(url))
        except ValueError:
            return False

    def _is_ours(self, url: URL) -> bool:
        if url.user is not None or url.password is not None:
            return False
        if self._api is not None and url.absolute and url.origin() == self._api:
            return True
        return _is_slacks(url)


def _is_of_the_api(url: URL) -> bool:
    # `path` is decoded once. Whatever a server makes of two slashes, of dots, or of what is encoded twice.
    path = normpath("/" + unquote(url.path).replace("\\", "/").lstrip("/")).lower()
    return re.split("[/;]", path)[1] == "api"


def _is_slacks(url: URL) -> bool:
    host = (url.host or "").rstrip(".").lower()
    if url.scheme != "https" or url.port != 443:
        return False
    return any(host == domain or host.endswith(f".{domain}") for domain in _DOMAINS)
