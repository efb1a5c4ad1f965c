"""A picture or document of a workspace, and how its download misbehaves."""

from __future__ import annotations

import io
import mimetypes
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import pi_heif
from PIL import Image, UnidentifiedImageError

from tests.fakes.slack.state import Json

Download = Literal[
    "whole", "login", "slow", "truncated", "reset", "hang", "redirect", "redirect_home", "gone", "error", "wrong"
]
Access = Literal["", "check_file_info", "access_denied", "file_not_found", "hidden_by_limit"]
_THUMBS = (64, 80, 160, 360, 480, 720, 800, 960, 1024)
_UNREADABLE = (UnidentifiedImageError, OSError, ValueError, RuntimeError)
_PICTURES = ("png", "jpg", "jpeg", "gif", "heic", "webp", "bmp", "tiff")


@dataclass
class StoredFile:
    """`owner` is the user who uploaded it; `base` the address of the host that it lies on.

    `download` says how url_private answers: whole; login, Slack's HTML page with 200; slow, in eight parts with
    `FakeSlack.pause` seconds between them; truncated, half the announced bytes; reset, a broken connection after half;
    hang, half and then silence; redirect, to a host that is not Slack's; redirect_home, to the same host; gone, 404;
    error, 500; wrong, HTML under the picture's media type.
    `access`, when it is not "": check_file_info, as in Slack Connect, where an event has a stub until files.info is
    asked; access_denied and file_not_found, which stay stubs; hidden_by_limit, too old for a free workspace.
    `external`: a "remote file", whose url_private is any address at all.
    """

    id: str
    team_id: str
    name: str
    content: bytes
    owner: str
    base: str
    created: int
    title: str = ""
    download: Download = "whole"
    access: Access = ""
    external: str = ""
    size: int | None = None
    shares: list[tuple[str, str]] = field(default_factory=list)
    deleted: bool = False

    @property
    def kind(self) -> str:
        """Slack's filetype: the ending."""
        ending = self.name.rpartition(".")[2].lower()
        return "jpg" if ending == "jpeg" else ending

    @property
    def media_type(self) -> str:
        """By the name only, as Slack has it."""
        return {"heic": "image/heic"}.get(self.kind) or mimetypes.guess_type(self.name)[0] or "application/octet-stream"

    @property
    def url_private(self) -> str:
        """Where its bytes are."""
        return self.external or f"{self.base}/files-pri/{self.team_id}-{self.id}/{self.name.lower()}"

    @property
    def url_private_download(self) -> str:
        """The same, offered as a download."""
        return self.external or f"{self.base}/files-pri/{self.team_id}-{self.id}/download/{self.name.lower()}"

    @cached_property
    def thumb_edges(self) -> list[int]:
        """The longest edges of its thumbnails: none of a file that Slack's own reader cannot open. None is larger than
        the picture, but the two smallest are always there."""
        if self.kind not in _PICTURES or self.external:
            return []
        try:
            longest = max(_opened(self.content, self.kind).size)
        except _UNREADABLE:
            return []
        return [edge for edge in _THUMBS if edge <= max(longest, 80)]

    def thumb(self, edge: int) -> bytes:
        """A PNG no wider and no higher than `edge`.

        Raises:
            KeyError: the file has no such thumbnail.
        """
        if edge not in self.thumb_edges:
            raise KeyError(edge)
        picture = _opened(self.content, self.kind).convert("RGB")
        picture.thumbnail((edge, edge))
        out = io.BytesIO()
        picture.save(out, "PNG")
        return out.getvalue()

    def as_json(self, *, event: bool = False) -> Json:
        """As a message carries it. Where it must be asked for, an event has a stub of it and the history all
        (docs.slack.dev/apis/slack-connect)."""
        if self.deleted:
            return {"id": self.id, "mode": "tombstone"}
        if self.access == "hidden_by_limit":
            return {"id": self.id, "mode": "hidden_by_limit", "created": self.created, "timestamp": self.created}
        if not self.access or (self.access == "check_file_info" and not event):
            return self.full()
        stub = {"id": self.id, "mode": "file_access", "file_access": self.access, "user": ""}
        return stub | {"created": 0, "timestamp": 0}

    def full(self) -> Json:
        """As files.info gives it."""
        answer: Json = {
            "id": self.id,
            "created": self.created,
            "timestamp": self.created,
            "name": self.name,
            "title": self.title or self.name,
            "mimetype": self.media_type,
            "filetype": self.kind,
            "pretty_type": self.kind.upper(),
            "user": self.owner,
            "user_team": self.team_id,
            "editable": False,
            "size": len(self.content) if self.size is None else self.size,
            "mode": "external" if self.external else "hosted",
            "is_external": bool(self.external),
            "external_type": "app" if self.external else "",
            "is_public": True,
            "public_url_shared": False,
            "display_as_bot": False,
            "username": "",
            "url_private": self.url_private,
            "url_private_download": self.url_private_download,
            "media_display_type": "unknown",
            "permalink": f"{self.base}/files/{self.owner}/{self.id}/{self.name.lower()}",
            "permalink_public": f"{self.base}/{self.team_id}-{self.id}-0",
            "has_rich_preview": False,
            "file_access": "visible",
        }
        stem = self.name.rpartition(".")[0].lower()
        for edge in self.thumb_edges:
            answer[f"thumb_{edge}"] = f"{self.base}/files-tmb/{self.team_id}-{self.id}-0/{stem}_{edge}.png"
        return answer


def _opened(content: bytes, kind: str) -> Image.Image:
    """Read without a plugin that would stay registered: the code under test must bring its own."""
    if kind == "heic":
        return pi_heif.open_heif(content).to_pillow()  # type: ignore[no-any-return]
    return Image.open(io.BytesIO(content))
