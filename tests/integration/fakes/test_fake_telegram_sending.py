"""What may be sent, and Telegram's words for what may not."""

import io
from typing import Any

import pytest
from telegram import (
    Bot,
    BotCommandScopeAllPrivateChats,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaDocument,
    InputMediaPhoto,
    ReplyParameters,
)
from telegram.error import BadRequest, EndPointNotFound, Forbidden, InvalidToken

from tests.fakes.telegram import Chat, FakeTelegram, User
from tests.integration.fakes.conftest import Do, request
from tests.integration.fakes.pictures import png


def keyboard(*buttons: InlineKeyboardButton) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([[button] for button in buttons])


def button(data: str = "x", text: str = "Go") -> InlineKeyboardButton:
    return InlineKeyboardButton(text, callback_data=data)


def test_a_message(telegram: FakeTelegram, bot: Bot, do: Do[Any], chat: Chat) -> None:
    asked = telegram.say(telegram.world.users[chat.id], chat, "What is this?")
    sent = do(bot.send_message(chat.id, "  A cat \n", reply_parameters=ReplyParameters(asked.id)))
    assert (sent.text, sent.reply_to_message.text, sent.from_user.is_bot) == ("A cat", "What is this?", True)
    (seen,) = telegram.answers(chat, to=asked.message)
    assert (seen.text, seen.by_bot, seen.reply_to) == ("A cat", True, asked.id)
    assert telegram.transcript(chat) == "Alice: /start\nAlice: What is this?\nGlimt: A cat"


# What is just allowed, what is just not, and how Telegram says it.
LIMITS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "text": ({"text": "x" * 4_096}, {"text": "x" * 4_097}, "Message is too long"),
    "text in UTF-16": ({"text": "😀" * 2_048}, {"text": "😀" * 2_049}, "Message is too long"),
    "empty text": ({"text": "."}, {"text": " \u200b\n"}, "Message text is empty"),
    "parsed text": (
        {"text": f"<b>{'x' * 4_096}</b>", "parse_mode": "HTML"},
        {"text": f"<b>{'x' * 4_097}</b>", "parse_mode": "HTML"},
        "Message is too long",
    ),
    "callback_data": (
        {"text": ".", "reply_markup": keyboard(button("ü" * 32))},
        {"text": ".", "reply_markup": keyboard(button("ü" * 32 + "x"))},
        "Button_data_invalid",
    ),
    "buttons": (
        {"text": ".", "reply_markup": keyboard(*[button()] * 100)},
        {"text": ".", "reply_markup": keyboard(*[button()] * 101)},
        "Reply markup is too long",
    ),
    "a button without an action": (
        {"text": ".", "reply_markup": keyboard(button())},
        {"text": ".", "reply_markup": keyboard(InlineKeyboardButton("Go"))},
        "Text buttons are unallowed",
    ),
    "a button's link": (
        {"text": ".", "reply_markup": keyboard(InlineKeyboardButton("Go", url="https://example.org"))},
        {"text": ".", "reply_markup": keyboard(InlineKeyboardButton("Go", url="example"))},
        "Wrong HTTP URL",
    ),
    "link previews": (
        {"text": ".", "link_preview_options": {"is_disabled": True}},
        {"text": ".", "link_preview_options": {"disabled": True}},
        "link preview options",
    ),
    "arguments": ({"text": "."}, {"text": ".", "api_kwargs": {"colour": "red"}}, "unknown argument colour"),
}


@pytest.mark.parametrize("name", LIMITS)
def test_limits(telegram: FakeTelegram, bot: Bot, do: Do[Any], chat: Chat, name: str) -> None:
    allowed, beyond, why = LIMITS[name]
    do(bot.send_message(chat.id, **allowed))
    with pytest.raises(BadRequest, match=f"(?i){why}"):
        do(bot.send_message(chat.id, **beyond))
    assert len(telegram.answers(chat)) == 1
    assert len(telegram.take_violations()) == 1


def test_photos(telegram: FakeTelegram, bot: Bot, do: Do[Any], chat: Chat) -> None:
    sent = do(bot.send_photo(chat.id, png(1_600, 400), caption="x" * 1_024))
    assert [(size.width, size.height) for size in sent.photo] == [(90, 23), (320, 80), (800, 200), (1_280, 320)]
    again = do(bot.send_photo(chat.id, sent.photo[-1].file_id))
    assert again.photo[-1].file_unique_id == sent.photo[-1].file_unique_id
    noise = png() + b"\0" * (10 * 2**20)
    for photo, caption, why in (
        (png(), "x" * 1_025, "caption is too long"),
        (noise, "", "too big for a photo"),
        (png(2_100, 100), "", "Photo_invalid_dimensions"),
        (png(6_000, 4_001), "", "Photo_invalid_dimensions"),
        (b"%PDF-1.7", "", "Image_process_failed"),
        (b"", "", "must be non-empty"),
        ("https://example.org/cat.png", "", "HTTP URL"),
    ):
        with pytest.raises(BadRequest, match=f"(?i){why}"):
            do(bot.send_photo(chat.id, photo, caption=caption))
    with pytest.raises(BadRequest, match="Wrong file identifier"):
        do(bot.send_photo(chat.id, "AgACnothing"))
    assert len(telegram.take_violations()) == 7
    assert len(telegram.answers(chat)) == 2


def test_albums_and_documents(telegram: FakeTelegram, bot: Bot, do: Do[Any], chat: Chat) -> None:
    sent = do(bot.send_media_group(chat.id, [InputMediaPhoto(png(), caption="two"), InputMediaPhoto(png())]))
    assert len({message.media_group_id for message in sent}) == 1
    assert [message.caption for message in sent] == ["two", None]
    document = do(bot.send_document(chat.id, io.BytesIO(b"a,b"), filename="a.csv")).document
    assert (document.file_name, document.file_size) == ("a.csv", 3)
    do(bot.send_document(chat.id, document.file_id))
    with pytest.raises(BadRequest, match="2-10"):
        do(bot.send_media_group(chat.id, [InputMediaPhoto(png())]))
    with pytest.raises(BadRequest, match="2-10"):
        do(bot.send_media_group(chat.id, [InputMediaPhoto(png())] * 11))
    with pytest.raises(BadRequest, match="album"):
        do(bot.send_media_group(chat.id, [InputMediaPhoto(png()), InputMediaDocument(b"x", filename="x")]))
    with pytest.raises(BadRequest, match=r"(?i)can't use file of type"):
        do(bot.send_photo(chat.id, document.file_id))
    assert len(telegram.take_violations()) == 4
    assert [seen.media for seen in telegram.answers(chat)] == ["photo", "photo", "document", "document"]


def test_replies(telegram: FakeTelegram, bot: Bot, do: Do[Any], chat: Chat, alice: User) -> None:
    asked = telegram.say(alice, chat, "What is that?")
    quoted = do(bot.send_message(chat.id, "A cat", reply_parameters=ReplyParameters(asked.id, quote="that")))
    assert (quoted.quote.text, quoted.quote.position) == ("that", 8)
    with pytest.raises(BadRequest, match=r"(?i)quote_text_invalid"):
        do(bot.send_message(chat.id, "A cat", reply_parameters=ReplyParameters(asked.id, quote="dog")))
    telegram.delete(asked.message)
    with pytest.raises(BadRequest, match="Message to be replied not found"):
        do(bot.send_message(chat.id, "A cat", reply_parameters=ReplyParameters(asked.id)))
    lenient = ReplyParameters(asked.id, allow_sending_without_reply=True)
    assert do(bot.send_message(chat.id, "A cat", reply_parameters=lenient)).reply_to_message is None


def test_edits(telegram: FakeTelegram, bot: Bot, do: Do[Any], chat: Chat, alice: User) -> None:
    sent = do(bot.send_message(chat.id, "…", reply_markup=keyboard(button())))
    do(bot.edit_message_text("A c", chat.id, sent.id, reply_markup=keyboard(button())))
    do(bot.edit_message_text("A cat", chat.id, sent.id))
    (seen,) = telegram.answers(chat)
    assert (seen.text, seen.before, seen.buttons) == ("A cat", ("…", "A c"), ())
    with pytest.raises(BadRequest, match=r"^Message is not modified: specified new message content"):
        do(bot.edit_message_text("A cat", chat.id, sent.id))
    with pytest.raises(BadRequest, match="Message is not modified"):
        do(bot.edit_message_reply_markup(chat.id, sent.id))
    theirs = telegram.say(alice, chat, "mine")
    with pytest.raises(BadRequest, match="Message can't be edited"):
        do(bot.edit_message_text("yours", chat.id, theirs.id))
    do(bot.delete_message(chat.id, sent.id))
    with pytest.raises(BadRequest, match="Message to edit not found"):
        do(bot.edit_message_text("A dog", chat.id, sent.id))
    photo = do(bot.send_photo(chat.id, png(), caption="boxes"))
    do(bot.edit_message_caption(chat.id, photo.id, caption="all boxes"))
    with pytest.raises(BadRequest, match="There is no text in the message to edit"):
        do(bot.edit_message_text("x", chat.id, photo.id))
    do(bot.edit_message_media(InputMediaPhoto(png(colour="red"), caption="red"), chat.id, photo.id))
    assert telegram.answers(chat)[-1].text == "red"
    assert len(telegram.take_violations()) == 2


def test_deleting(telegram: FakeTelegram, bot: Bot, do: Do[Any], chat: Chat, alice: User) -> None:
    first, second = (do(bot.send_message(chat.id, text)) for text in ("one", "two"))
    theirs = telegram.say(alice, chat, "mine")
    assert do(bot.delete_messages(chat.id, [first.id, theirs.id, 999_999]))
    with pytest.raises(BadRequest, match="Message to delete not found"):
        do(bot.delete_message(chat.id, first.id))
    telegram.advance(48 * 3_600 + 1)
    with pytest.raises(BadRequest, match="Message can't be deleted"):
        do(bot.delete_message(chat.id, second.id))
    group = telegram.group("Cats", alice)
    said = telegram.say(alice, group, "mine")
    with pytest.raises(BadRequest, match="Message can't be deleted"):
        do(bot.delete_message(group.id, said.id))
    assert [seen.text for seen in telegram.seen(chat)] == ["/start", "two"]


def test_who_cannot_be_written_to(telegram: FakeTelegram, bot: Bot, do: Do[Any], chat: Chat, alice: User) -> None:
    stranger = telegram.user("stranger")
    with pytest.raises(Forbidden, match="bot can't initiate conversation with a user"):
        do(bot.send_message(stranger.id, "Hi"))
    with pytest.raises(BadRequest, match="Chat not found"):
        do(bot.send_message(1, "Hi"))
    telegram.block(alice)
    with pytest.raises(Forbidden, match="bot was blocked by the user"):
        do(bot.send_message(chat.id, "Hi"))
    telegram.unblock(alice)
    do(bot.send_message(chat.id, "Hi"))
    alice.deactivated = True
    with pytest.raises(Forbidden, match="user is deactivated"):
        do(bot.send_chat_action(chat.id, "typing"))


def test_methods_that_are_not_there(telegram: FakeTelegram, bot: Bot, do: Do[Any], chat: Chat) -> None:
    rich = {"chat_id": chat.id, "rich_message": {"markdown": "# A cat"}}
    with pytest.raises(EndPointNotFound):
        do(bot.do_api_request("sendRichMessage", rich))
    assert telegram.take_violations() == []
    telegram.know_rich()
    do(bot.do_api_request("sendRichMessage", rich))
    assert telegram.answers(chat)[-1].text == "# A cat"
    with pytest.raises(BadRequest, match="Can't parse rich message"):
        do(bot.do_api_request("sendRichMessage", rich | {"rich_message": {"markdown": "```\nx"}}))
    with pytest.raises(EndPointNotFound):
        do(bot.do_api_request("sendTelepathy"))
    assert telegram.take_violations() == ["sendTelepathy: no method sendTelepathy (Not Found)"]


@pytest.mark.parametrize("token", ["123:AAWrong", "no token"])
def test_tokens(telegram: FakeTelegram, do: Do[Any], token: str) -> None:
    stranger = Bot(token, base_url=telegram.base_url, request=request(), get_updates_request=request())
    with pytest.raises(InvalidToken):
        do(stranger.initialize())


def test_drafts(telegram: FakeTelegram, bot: Bot, do: Do[Any], chat: Chat, alice: User) -> None:
    stop = {"can_stop": True, "keep_on_stop": True}
    do(bot.send_message_draft(chat.id, 7, ""))
    assert telegram.transcript(chat).endswith("Glimt is writing: Thinking…")
    do(bot.send_message_draft(chat.id, 7, "A c", api_kwargs=stop))
    assert [(draft.text, draft.stop) for draft in telegram.drafts(chat)] == [("A c", True)]
    telegram.advance(31)
    assert telegram.drafts(chat) == []
    do(bot.send_message_draft(chat.id, 7, "A cat", api_kwargs=stop))
    do(bot.send_message(chat.id, "A cat."))
    assert telegram.drafts(chat) == []
    assert [seen.text for seen in chat.drafts_seen] == ["", "A c", "A cat"]
    with pytest.raises(BadRequest, match="Draft_id must be non-zero"):
        do(bot.send_message_draft(chat.id, 0, "A"))
    with pytest.raises(BadRequest, match=r"(?i)peer_id_invalid"):
        do(bot.send_message_draft(telegram.group("Cats", alice).id, 7, "A"))
    assert len(telegram.take_violations()) == 2


def test_stop(telegram: FakeTelegram, bot: Bot, do: Do[Any], chat: Chat) -> None:
    with pytest.raises(LookupError):
        telegram.stop(chat)
    do(bot.send_message_draft(chat.id, 7, "A c", api_kwargs={"can_stop": True}))
    telegram.stop(chat)
    update = do(bot.get_updates())[-1]
    assert update.api_kwargs["stopped_message_generation"]["draft_id"] == 7
    assert telegram.drafts(chat) == []
    do(bot.send_message_draft(chat.id, 7, "A ca", api_kwargs={"can_stop": True}))
    assert (telegram.drafts(chat), telegram.drafts_after_stop) == ([], [(chat.id, 7)])
    telegram.knows_stop = False
    do(bot.send_message_draft(chat.id, 8, "A d", api_kwargs={"can_stop": True, "keep_on_stop": True}))
    assert not telegram.drafts(chat)[0].stop


def test_pressing(telegram: FakeTelegram, bot: Bot, do: Do[Any], chat: Chat, alice: User) -> None:
    do(bot.send_message(chat.id, "A cat", reply_markup=keyboard(button("up", "👍"))))
    answer = telegram.answers(chat)[-1]
    press = telegram.press(alice, answer.message, "👍")
    query = do(bot.get_updates())[-1].callback_query
    assert (query.data, query.message.text, query.from_user.id) == ("up", "A cat", alice.id)
    with pytest.raises(BadRequest, match=r"(?i)message_too_long"):
        do(bot.answer_callback_query(query.id, "x" * 201))
    telegram.take_violations()
    do(bot.answer_callback_query(query.id, "Thank you", show_alert=True))
    assert (press.answered, press.text, press.alert) == (True, "Thank you", True)
    late = telegram.press(alice, answer.message, "up")
    telegram.advance(telegram.press_seconds + 1)
    for gone in (query.id, late.id, "1"):
        with pytest.raises(BadRequest, match="Query is too old and response timeout expired or query id is invalid"):
            do(bot.answer_callback_query(gone))
    with pytest.raises(LookupError):
        telegram.press(alice, answer.message, "👎")
    telegram.delete(answer.message)
    telegram.press_old(alice, answer.message, "up")
    assert not do(bot.get_updates())[-1].callback_query.message.is_accessible


def test_commands_by_scope_and_language(telegram: FakeTelegram, bot: Bot, do: Do[Any], chat: Chat, alice: User) -> None:
    do(bot.set_my_commands([("help", "Help")]))
    do(bot.set_my_commands([("start", "Start"), ("new", "New")], scope=BotCommandScopeAllPrivateChats()))
    do(bot.set_my_commands([("start", "开始")], scope=BotCommandScopeAllPrivateChats(), language_code="zh"))
    wang = telegram.user("wang", language="zh-hans")
    group = telegram.group("Cats", alice)
    assert telegram.commands(chat, alice) == ["start", "new"]
    assert telegram.commands(telegram.private(wang), wang) == ["start"]
    assert telegram.commands(group, alice) == ["help"]
    assert [one.command for one in do(bot.get_my_commands())] == ["help"]
    for commands, language in (([("Help", "x")], ""), ([("help", "")], ""), ([("help", "x")], "zh-hans")):
        with pytest.raises(BadRequest):
            do(bot.set_my_commands(commands, language_code=language))
    do(bot.delete_my_commands(scope=BotCommandScopeAllPrivateChats()))
    assert telegram.commands(chat, alice) == ["help"]
    do(bot.set_my_description("Asks pictures"))
    assert do(bot.get_my_description(language_code="zh")).description == "Asks pictures"
    with pytest.raises(BadRequest, match=r"(?i)short description is too long"):
        do(bot.set_my_short_description("x" * 121))
    assert len(telegram.take_violations()) == 4
