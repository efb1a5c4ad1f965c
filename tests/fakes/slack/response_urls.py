"""response_url: five answers in thirty minutes to whoever pressed or typed something, without a token."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from tests.fakes.slack.methods.content import read_content, require_text
from tests.fakes.slack.refusal import Refusal
from tests.fakes.slack.state import Channel, Json, Message, User

if TYPE_CHECKING:
    from tests.fakes.slack.fake import FakeSlack

_SECONDS, _USES = 1_800, 5
_KNOWN = {"text", "blocks", "attachments", "response_type", "replace_original", "delete_original", "thread_ts"}
_KNOWN |= {"unfurl_links", "unfurl_media", "metadata", "mrkdwn"}


@dataclass
class _Place:
    channel: Channel
    user: User
    message: Message | None
    until: float
    left: int = _USES


class ResponseUrls:
    """All that were given out."""

    def __init__(self, fake: FakeSlack) -> None:
        self._fake = fake
        self._places: dict[str, _Place] = {}

    def routes(self) -> list[web.RouteDef]:
        """For the server."""
        return [web.post("/actions/{place}", self.answer)]

    def new(self, channel: Channel, user: User, message: Message | None = None) -> str:
        """One for what `user` did in `channel`, with `message` when he pressed something in it."""
        place = self._fake.world.ids("response")
        self._places[place] = _Place(channel, user, message, self._fake.world.clock.now() + _SECONDS)
        return f"{self._fake.url}/actions/{place}"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """A message, or a change of the one that was pressed in."""
        try:
            given = json.loads(await request.text())
        except json.JSONDecodeError:
            return web.Response(status=400, text="invalid_payload")
        with self._fake.lock:
            try:
                place = self._places.get(request.match_info["place"])
                if place is None or place.until < self._fake.world.clock.now():
                    return web.Response(status=404, text="expired_url")
                if not place.left:
                    return web.Response(status=404, text="used_url")
                place.left -= 1
                self._post(place, given)
            except Refusal as refusal:
                self._fake.violation(f"response_url: {refusal}")
                return web.json_response({"ok": False, "error": refusal.code}, status=400)
        self._fake.changed()
        return web.Response(text="ok")

    def acknowledged(self, url: str, answer: Json | str) -> None:
        """What the acknowledgement of a command says is shown as well: text, or a message."""
        given = {"text": answer} if isinstance(answer, str) else answer
        place = self._places[url.rpartition("/")[2]]
        if any(given.get(name) for name in ("text", "blocks", "attachments")):
            with self._fake.lock:
                try:
                    self._post(place, given)
                except Refusal as refusal:
                    self._fake.violation(f"acknowledgement of a command: {refusal}")
            self._fake.changed()

    def _post(self, place: _Place, given: Json) -> None:
        for name in set(given) - _KNOWN:
            self._fake.violation(f"response_url: unknown field {name}")
        if given.get("delete_original"):
            if place.message is not None:
                place.channel.messages.pop(place.message.ts, None)
            return
        content = read_content(self._fake, given)
        require_text(content)
        if given.get("replace_original") and place.message is not None:
            for name, value in ({"text": "", "blocks": []} | content).items():
                setattr(place.message, name, value)
            return
        workspace = self._fake.world.workspaces[place.channel.team_id]
        self._fake.world.add_message(
            place.channel,
            workspace.bot_user.id,
            bot_id=workspace.bot_id,
            thread_ts=given.get("thread_ts") or (place.message.thread_ts if place.message else ""),
            ephemeral_to="" if given.get("response_type") == "in_channel" else place.user.id,
            **content,
        )
