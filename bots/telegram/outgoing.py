"""The calls by which something is said in Telegram, in the richest form that is understood.

Rich HTML → text with entities → plain text. A plainer form is tried where Telegram did not understand the last one, and
for no other reason: a flood or a lost connection says nothing about the form.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog
from telegram import Bot, LinkPreviewOptions, ReplyParameters
from telegram.error import BadRequest, ChatMigrated, EndPointNotFound, Forbidden

from bots.chat.actions import Button
from bots.telegram.format import CAPTION_UNITS, Formatted, rendered
from bots.telegram.keyboard import keyboard_of
from bots.telegram.limits import NotNow, Rank, ranked
from bots.telegram.refusals import is_parse_error, is_same
from bots.telegram.server import Server
from bots.telegram.target import Target, post_id, read_post_id

log = structlog.get_logger(__name__)

_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
# What is only for the eye is not waited for any longer.
PREVIEW_TIMEOUT_S = 5.0
# Telegram's limits for a photo; what is beyond goes as a file.
_PHOTO_BYTES = 10_000_000
_NO_PHOTO = ("photo_invalid_dimensions", "photo_save_file_invalid", "image_process_failed")


class Outgoing:
    """Says things. Telegram's errors come out as they are."""

    def __init__(self, bot: Bot, server: Server | None = None) -> None:
        self._bot = bot
        self.server = server or Server()

    async def send(
        self, target: Target, markdown: str, buttons: Sequence[Button] = (), *, reply: bool | None = None
    ) -> str:
        """A new message; its post id. `reply`: to the question (None: in groups)."""
        shown, keyboard = rendered(markdown), keyboard_of(buttons)

        async def rich(chat_id: int) -> Any:
            said = {"rich_message": _rich(shown), "reply_markup": keyboard}
            where = {**_where(target, chat_id), "reply_parameters": _reply(target, chat_id, reply)}
            return await self._bot.do_api_request("sendRichMessage", api_kwargs=_given(said | where))

        async def text(chat_id: int, form: Formatted) -> Any:
            return await self._bot.send_message(
                text=form.text,
                entities=form.entities or None,
                reply_markup=keyboard,
                reply_parameters=_reply(target, chat_id, reply),
                link_preview_options=_NO_PREVIEW,
                **_where(target, chat_id),
            )

        return await self._in_chat(target, lambda chat_id: self._formatted(shown, chat_id, rich, text))

    async def edit(self, target: Target, post: str, markdown: str, buttons: Sequence[Button]) -> None:
        """Make a message of ours say this, if it does not already."""
        chat_id, message_id = read_post_id(post)
        shown, keyboard = rendered(markdown), keyboard_of(buttons)
        which: dict[str, Any] = {"message_id": message_id, "business_connection_id": target.business or None}

        async def rich(chat_id: int) -> Any:
            said = {"rich_message": _rich(shown), "reply_markup": keyboard, "chat_id": chat_id}
            # In capitals, because by its usual name PTB has a method that does not know rich messages.
            return await self._bot.do_api_request("EditMessageText", api_kwargs=_given(said | which))

        async def text(chat_id: int, form: Formatted) -> Any:
            return await self._bot.edit_message_text(
                chat_id=chat_id,
                text=form.text,
                entities=form.entities or None,
                reply_markup=keyboard,
                link_preview_options=_NO_PREVIEW,
                **which,
            )

        try:
            await self._formatted(shown, chat_id, rich, text)
        except ChatMigrated as error:
            self.server.moved[chat_id] = error.new_chat_id
            raise
        except BadRequest as error:
            if not is_same(error):
                raise

    async def set_buttons(self, target: Target, post: str, buttons: Sequence[Button]) -> None:
        """Other buttons under a message of ours."""
        chat_id, message_id = read_post_id(post)
        try:
            await self._bot.edit_message_reply_markup(
                chat_id=chat_id,
                message_id=message_id,
                reply_markup=keyboard_of(buttons),
                business_connection_id=target.business or None,
            )
        except BadRequest as error:
            if not is_same(error):
                raise

    async def carries(self, target: Target, post: str, buttons: Sequence[Button]) -> bool:
        """Whether this is a message of ours that has these very buttons: then putting them there changes nothing."""
        chat_id, message_id = read_post_id(post)
        try:
            await self._bot.edit_message_reply_markup(chat_id, message_id, reply_markup=keyboard_of(buttons))
        except BadRequest as error:
            # Else it is not there, or somebody else's.
            return is_same(error)
        return False

    async def says(self, target: Target, post: str, markdown: str, *, pictured: bool) -> bool:
        """Whether this is a message of ours, or a picture, that says just this: saying it again changes nothing.

        A message of ours that did not say it does so from now on, which is as good.
        """
        try:
            if pictured:
                form = rendered(markdown, CAPTION_UNITS)
                chat_id, message_id = read_post_id(post)
                await self._bot.edit_message_caption(
                    chat_id, message_id, caption=form.text or None, caption_entities=form.entities or None
                )
            else:
                await self.edit(target, post, markdown, ())
        except BadRequest as error:
            # Else it is not there, is somebody else's, or is something else.
            return is_same(error)
        return True

    async def delete(self, post: str) -> None:
        """Take a message of ours away."""
        await self._bot.delete_message(*read_post_id(post))

    async def draft(self, target: Target, draft_id: int, markdown: str) -> None:
        """A preview of an answer in a private chat, for half a minute, with Telegram's own Stop button."""
        shown = rendered(markdown)
        what: dict[str, Any] = {"draft_id": draft_id}
        if target.topic_id is not None:
            what["message_thread_id"] = target.topic_id
        stop = {"can_stop": True, "keep_on_stop": True}

        async def rich(chat_id: int) -> Any:
            said = {"chat_id": chat_id, "rich_message": _rich(shown)}
            return await self._bot.do_api_request(
                "sendRichMessageDraft", api_kwargs=what | stop | said, read_timeout=PREVIEW_TIMEOUT_S
            )

        async def text(chat_id: int, form: Formatted) -> Any:
            return await self._bot.send_message_draft(
                chat_id=chat_id,
                text=form.text,
                entities=form.entities or None,
                api_kwargs=stop,
                read_timeout=PREVIEW_TIMEOUT_S,
                **what,
            )

        with ranked(Rank.PREVIEW):
            await self._formatted(shown, target.chat_id, rich, text)

    async def photo(
        self,
        target: Target,
        data: bytes,
        name: str,
        markdown: str,
        buttons: Sequence[Button],
        *,
        reply: bool | None = True,
    ) -> str:
        """A picture with its caption, as a reply to the question (None: in groups); its post id."""
        caption, keyboard = rendered(markdown, CAPTION_UNITS), keyboard_of(buttons)

        async def text(chat_id: int, form: Formatted) -> Any:
            common: dict[str, Any] = {
                "caption": form.text or None,
                "caption_entities": form.entities or None,
                "reply_markup": keyboard,
                "reply_parameters": _reply(target, chat_id, reply),
                "filename": name,
                **_where(target, chat_id),
            }
            if len(data) <= _PHOTO_BYTES:
                try:
                    return await self._bot.send_photo(photo=data, **common)
                except BadRequest as error:
                    if not any(word in str(error).lower() for word in _NO_PHOTO):
                        raise
            return await self._bot.send_document(document=data, **common)

        return await self._in_chat(target, lambda chat_id: self._plainer(caption, chat_id, text))

    async def typing(self, target: Target) -> None:
        """Show for some seconds that something is being written. What fails does not matter."""
        try:
            with ranked(Rank.PREVIEW):
                await self._bot.send_chat_action(
                    action="typing", read_timeout=PREVIEW_TIMEOUT_S, **_where(target, self._now(target.chat_id))
                )
        except NotNow:
            pass

    async def knows_rich(self) -> bool:
        """Whether the server is so new; asked once.

        Raises:
            TelegramError: nobody knows.
        """
        if self.server.rich is None:
            # Before that PTB does not tell an unknown method from a wrong token.
            await self._bot.initialize()
            # Nobody sees it: a bot cannot write to itself.
            nothing = {"chat_id": self._bot.id, "draft_id": 1, "rich_message": {"html": "<p>…</p>"}}
            try:
                with ranked(Rank.REPLY):
                    await self._bot.do_api_request("sendRichMessageDraft", api_kwargs=nothing)
                self.server.rich = True
            except EndPointNotFound:
                self.server.rich = False
            except (BadRequest, Forbidden):
                self.server.rich = True
            log.info("telegram_server", rich=self.server.rich)
        return self.server.rich

    async def _in_chat(self, target: Target, call: Callable[[int], Awaitable[Any]]) -> str:
        """Make a call, in the supergroup where the group has become one; the id of the message's post."""
        chat_id = self._now(target.chat_id)
        try:
            sent = await call(chat_id)
        except ChatMigrated as error:
            chat_id = self.server.moved[chat_id] = error.new_chat_id
            sent = await call(chat_id)
        number = int(sent["message_id"] if isinstance(sent, dict) else sent.message_id)
        if target.private and not target.business:
            self.server.last_id = max(self.server.last_id, number)
            self.server.known.append(post_id(chat_id, number))
        return post_id(chat_id, number, target.owner_id)

    async def _formatted(
        self,
        shown: Formatted,
        chat_id: int,
        rich: Callable[[int], Awaitable[Any]],
        text: Callable[[int, Formatted], Awaitable[Any]],
    ) -> Any:
        if shown.rich and await self.knows_rich():
            try:
                return await rich(chat_id)
            except BadRequest as error:
                if not is_parse_error(error):
                    raise
                log.info("telegram_rich_refused", said=str(error)[:100])
        return await self._plainer(shown, chat_id, text)

    async def _plainer(
        self,
        shown: Formatted,
        chat_id: int,
        text: Callable[[int, Formatted], Awaitable[Any]],
    ) -> Any:
        try:
            return await text(chat_id, shown)
        except BadRequest as error:
            if not shown.entities or not is_parse_error(error):
                raise
            log.info("telegram_entities_refused", said=str(error)[:100])
        return await text(chat_id, Formatted(shown.text))

    def _now(self, chat_id: int) -> int:
        return self.server.moved.get(chat_id, chat_id)


def _where(target: Target, chat_id: int) -> dict[str, Any]:
    where: dict[str, Any] = {"chat_id": chat_id}
    if target.topic_id is not None:
        where["message_thread_id"] = target.topic_id
    if target.business:
        where["business_connection_id"] = target.business
    return where


def _reply(target: Target, chat_id: int, reply: bool | None) -> ReplyParameters | None:
    wanted = not target.private and not target.business if reply is None else reply
    # In a supergroup that the group has become, the question's number is that of another message.
    if not wanted or not target.message_id or chat_id != target.chat_id:
        return None
    return ReplyParameters(target.message_id, allow_sending_without_reply=True)


def _rich(shown: Formatted) -> dict[str, Any]:
    # Nobody is called, and nothing is a link that is not written as one.
    return {"html": shown.rich, "skip_entity_detection": True}


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
