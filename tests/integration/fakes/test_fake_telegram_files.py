"""What people send, as the Bot API describes it, and downloads in all the ways in which they go wrong."""

import io
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from telegram import Bot
from telegram.error import BadRequest, InvalidToken, NetworkError, TimedOut

from tests.fakes.telegram import Chat, FakeTelegram, User
from tests.fakes.telegram.files import CLOUD_LIMIT, Download
from tests.integration.fakes.conftest import Do, telegram_bot
from tests.integration.fakes.pictures import png


def latest(bot: Bot, do: Do[Any]) -> Any:
    """The last message, of which the caller knows which parts it has."""
    return do(bot.get_updates())[-1].message


def test_photos(telegram: FakeTelegram, bot: Bot, do: Do[Any], chat: Chat, alice: User) -> None:
    telegram.photo(alice, chat, png(2_000, 1_000), "What is this?")
    message = latest(bot, do)
    assert (message.caption, message.text) == ("What is this?", None)
    assert [size.width for size in message.photo] == [90, 320, 800, 1_280]
    file = do(bot.get_file(message.photo[-1]))
    content = do(file.download_as_bytearray())
    with Image.open(io.BytesIO(content)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (1_280, 640))
    assert len(content) == message.photo[-1].file_size == file.file_size
    assert [(fetch.status, fetch.authorised) for fetch in telegram.fetches] == [(200, True)]


def test_albums(telegram: FakeTelegram, bot: Bot, do: Do[Any], chat: Chat, alice: User) -> None:
    telegram.updates.drop()
    sent = telegram.album(alice, chat, [png(), png(), png(), png()], "Which?", late=1, shuffle=3)
    first = [update.message for update in do(bot.get_updates())]
    assert len(first) == 3
    assert sorted(m.message_id for m in first) != [m.message_id for m in first]
    assert {message.media_group_id for message in first} == {sent.message.media_group}
    assert [m.caption for m in sorted(first, key=lambda m: m.message_id)] == ["Which?", None, None]
    sent.arrive()
    assert [update.message.message_id for update in do(bot.get_updates())][-1] == sent.messages[-1].id
    telegram.album(alice, chat, [png(), png()], documents=True, captions=["a", "b"])
    assert [update.message.document.file_name for update in do(bot.get_updates())[-2:]] == ["scan-0.png", "scan-1.png"]


def test_everything_else_that_has_a_picture(
    telegram: FakeTelegram, bot: Bot, do: Do[Any], chat: Chat, alice: User
) -> None:
    telegram.document(alice, chat, "scan.png", png(), "read it", thumbnail=png())
    document = latest(bot, do).document
    assert (document.mime_type, document.thumbnail.width) == ("image/png", 64)
    assert bytes(do(do(bot.get_file(document)).download_as_bytearray())) == png()
    telegram.document(alice, chat, "IMG_1.HEIC", b"\0\0\0\x18ftypheic")
    assert latest(bot, do).document.mime_type == "image/heic"
    telegram.document(alice, chat, "report.pdf", b"%PDF-1.7")
    assert latest(bot, do).document.mime_type == "application/pdf"
    telegram.sticker(alice, chat, b"RIFF", picture=png())
    assert (latest(bot, do).sticker.is_animated, latest(bot, do).sticker.is_video) == (False, False)
    for kind in ("animated", "video"):
        telegram.sticker(alice, chat, b"...", kind=kind, picture=png())
        sticker = latest(bot, do).sticker
        assert (sticker.is_animated, sticker.is_video) == (kind == "animated", kind == "video")
    for kind in ("video", "animation", "video_note"):
        telegram.clip(alice, chat, kind, b"mp4", png(320, 240))
        assert getattr(latest(bot, do), kind).thumbnail.height == 240
    assert latest(bot, do).document is None
    telegram.live_photo(alice, chat, png(), b"mp4")
    live = latest(bot, do)
    assert live.live_photo is not None
    assert live.live_photo.photo == live.photo


def test_a_picture_of_another_chat_and_of_somebody_else(
    telegram: FakeTelegram, bot: Bot, do: Do[Any], chat: Chat, alice: User
) -> None:
    group = telegram.group("Cats", alice)
    theirs = telegram.photo(telegram.user("bob"), group, png(), "my cat and my dog")
    telegram.say(alice, chat, "What is it?", reply_to=theirs, quote="my dog")
    message = latest(bot, do)
    assert message.reply_to_message is None
    assert message.external_reply.photo[-1].file_id == theirs.files[0].id
    assert (message.external_reply.chat.id, message.quote.position) == (group.id, 11)
    telegram.say(alice, group, "@glimt_bot and this?", reply_to=theirs)
    assert latest(bot, do).reply_to_message.photo[-1].file_id == theirs.files[0].id


def test_what_is_passed_on(telegram: FakeTelegram, bot: Bot, do: Do[Any], chat: Chat, alice: User) -> None:
    group = telegram.group("Cats", alice)
    album = telegram.album(telegram.user("bob"), group, [png(), png()], "my cats")
    telegram.forward(alice, chat, album)
    first, second = (update.message for update in do(bot.get_updates())[-2:])
    assert (first.forward_origin.sender_user.first_name, first.caption) == ("Bob", "my cats")
    assert first.media_group_id == second.media_group_id != album.message.media_group
    assert second.photo[-1].file_id == album.messages[1].files[0].id
    telegram.forward(alice, chat, album, hidden=True)
    assert latest(bot, do).forward_origin.sender_user_name == "Bob"
    telegram.other(alice, chat, {"dice": {"emoji": "🎲", "value": 6}})
    assert latest(bot, do).dice.value == 6
    with pytest.raises(AssertionError, match="PTB does not know"):
        telegram.other(alice, chat, {"telepathy": {}})


def test_sizes_and_links(
    telegram: FakeTelegram, bot: Bot, do: Do[Any], chat: Chat, alice: User, browser: httpx.Client
) -> None:
    telegram.document(alice, chat, "big.png", png(), size=CLOUD_LIMIT + 1)
    with pytest.raises(BadRequest, match="File is too big"):
        do(bot.get_file(latest(bot, do).document))
    with pytest.raises(BadRequest, match="Invalid file_id"):
        do(bot.get_file("BQACnothing"))
    said = telegram.document(alice, chat, "small.png", png())
    file = do(bot.get_file(said.files[0].id))
    assert file.file_path.startswith(f"{telegram.base_file_url}{telegram.bot_token}/documents/file_")
    assert browser.get(file.file_path.replace(telegram.bot_token, "1:x")).status_code == 401
    telegram.advance(3_601)
    # python-telegram-bot takes every 404 for a wrong token.
    with pytest.raises(InvalidToken):
        do(file.download_as_bytearray())
    do(do(bot.get_file(said.files[0].id)).download_as_bytearray())
    assert [fetch.status for fetch in telegram.fetches] == [401, 404, 200]


@pytest.mark.parametrize("how", ["gone", "error", "truncated", "reset", "hang"])
def test_broken_downloads(
    telegram: FakeTelegram, bot: Bot, do: Do[Any], chat: Chat, alice: User, how: Download
) -> None:
    said = telegram.document(alice, chat, "a.png", png(), download=how)
    file = do(bot.get_file(said.files[0].id))
    with pytest.raises({"hang": TimedOut, "gone": InvalidToken}.get(how, NetworkError)):
        do(file.download_as_bytearray(read_timeout=0.2))


def test_downloads_that_are_slow_or_wrong(
    telegram: FakeTelegram, bot: Bot, do: Do[Any], chat: Chat, alice: User
) -> None:
    telegram.pause = 0.001
    slow = telegram.photo(alice, chat, png(), download="slow")
    assert bytes(do(do(bot.get_file(slow.files[0].id)).download_as_bytearray())) == slow.files[0].content
    wrong = telegram.photo(alice, chat, png(), download="wrong")
    assert b"<html>" in do(do(bot.get_file(wrong.files[0].id)).download_as_bytearray())
    not_there = telegram.photo(alice, chat, png(), download="unavailable")
    with pytest.raises(BadRequest, match="temporarily unavailable"):
        do(bot.get_file(not_there.files[0].id))


def test_a_server_of_ones_own(do: Do[Any]) -> None:
    """In local mode files lie on disk and may be large, and webhooks may be plain HTTP."""
    with FakeTelegram(local=True) as telegram:
        alice = telegram.user("alice")
        said = telegram.document(alice, telegram.private(alice), "big.png", png(), size=CLOUD_LIMIT + 1)

        async def ask() -> tuple[Path, bytes]:
            async with telegram_bot(telegram, local_mode=True) as made:
                await made.set_webhook("http://10.0.0.1:9000/hook", max_connections=1_000)
                file = await made.get_file(said.files[0].id)
                return Path(str(file.file_path)), bytes(await file.download_as_bytearray())

        path, content = do(ask())
        assert path.is_absolute()
        assert content == png()
    assert not path.exists()
