"""Flood control on a clock that stands still unless it is put forward, and what goes wrong on order."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from telegram import Bot, InputMediaPhoto
from telegram.error import BadRequest, Conflict, InvalidToken, NetworkError, RetryAfter, TimedOut

from tests.fakes.clock import Clock
from tests.fakes.telegram import Chat, FakeTelegram, User
from tests.integration.fakes.conftest import Do
from tests.integration.fakes.pictures import png

pytestmark = pytest.mark.filterwarnings("ignore::telegram.warnings.PTBDeprecationWarning")


@pytest.fixture
def telegram() -> Iterator[FakeTelegram]:
    """Its clock stands still."""
    with FakeTelegram(clock=Clock(still=True)) as fake:
        fake.limits.enforced = True
        yield fake


def waits(do: Do[Any], bot: Bot, chat: Chat) -> int:
    """The retry_after of a message, 0 when it passed."""
    try:
        do(bot.send_message(chat.id, "x"))
    except RetryAfter as error:
        # A number or a span, by PTB_TIMEDELTA, which bots.telegram sets for its whole process.
        after = error.retry_after
        return int(after.total_seconds() if isinstance(after, timedelta) else after)
    return 0


def test_one_a_second_in_a_chat(telegram: FakeTelegram, bot: Bot, do: Do[Any], chat: Chat) -> None:
    assert [waits(do, bot, chat) for _ in range(4)] == [0, 0, 0, 1]
    assert [breach.rule for breach in telegram.limits.breaches] == ["chat"]
    telegram.advance(0.5)
    assert waits(do, bot, chat) == 1
    assert telegram.limits.breaches[-1].rule == "early"
    telegram.advance(0.5)
    assert waits(do, bot, chat) == 0
    telegram.advance(10)
    assert [waits(do, bot, chat) for _ in range(4)] == [0, 0, 0, 1]
    assert len(telegram.answers(chat)) == 7


def test_edits_count_and_typing_does_not(telegram: FakeTelegram, bot: Bot, do: Do[Any], chat: Chat) -> None:
    sent = do(bot.send_message(chat.id, "0"))
    for number in (1, 2):
        do(bot.edit_message_text(str(number), chat.id, sent.id))
    assert telegram.typing(chat) == ""
    telegram.advance(0.1)
    for _ in range(20):
        do(bot.send_chat_action(chat.id, "typing"))
    assert telegram.typing(chat) == "typing"
    for _ in range(20):
        do(bot.send_message_draft(chat.id, 1, "x"))
    with pytest.raises(RetryAfter):
        do(bot.edit_message_text("3", chat.id, sent.id))
    assert telegram.answers(chat)[0].text == "2"
    assert len(telegram.limits.breaches) == 1
    telegram.advance(60)
    telegram.limits.drafts = True
    for _ in range(3):
        do(bot.send_message_draft(chat.id, 1, "x"))
    with pytest.raises(RetryAfter):
        do(bot.send_message_draft(chat.id, 1, "x"))


def test_twenty_a_minute_in_a_group(telegram: FakeTelegram, bot: Bot, do: Do[Any], alice: User) -> None:
    group = telegram.group("Cats", alice)
    for _ in range(20):
        assert waits(do, bot, group) == 0
        telegram.advance(1)
    assert waits(do, bot, group) == 40
    assert waits(do, bot, telegram.private(alice)) == 0
    telegram.advance(39)
    assert waits(do, bot, group) == 1
    telegram.advance(1)
    assert waits(do, bot, group) == 0
    assert [breach.rule for breach in telegram.limits.breaches] == ["group", "early"]


def test_thirty_a_second_over_all(telegram: FakeTelegram, bot: Bot, do: Do[Any]) -> None:
    people = [telegram.user(f"user{number}") for number in range(31)]
    for user in people:
        telegram.start(user)
    chats = [telegram.private(user) for user in people]
    assert [waits(do, bot, chat) for chat in chats] == [0] * 30 + [1]
    assert waits(do, bot, chats[0]) == 1
    telegram.advance(1)
    assert waits(do, bot, chats[-1]) == 0
    assert telegram.limits.most_a_second == 30


def test_an_album_counts_as_its_pictures(telegram: FakeTelegram, bot: Bot, do: Do[Any], alice: User) -> None:
    group = telegram.group("Cats", alice)
    do(bot.send_media_group(group.id, [InputMediaPhoto(png())] * 10))
    telegram.advance(10)
    do(bot.send_media_group(group.id, [InputMediaPhoto(png())] * 10))
    assert waits(do, bot, group) == 50


def test_limits_that_are_only_watched(telegram: FakeTelegram, bot: Bot, do: Do[Any], chat: Chat) -> None:
    telegram.limits.enforced = False
    assert [waits(do, bot, chat) for _ in range(5)] == [0] * 5
    assert [breach.rule for breach in telegram.limits.breaches] == ["chat", "chat"]


def test_refusals_on_order(telegram: FakeTelegram, bot: Bot, do: Do[Any], chat: Chat, alice: User) -> None:
    telegram.faults.limit("sendMessage", 7, skip=1)
    assert [waits(do, bot, chat), waits(do, bot, chat), waits(do, bot, chat)] == [0, 7, 0]
    other = telegram.user("bob")
    telegram.start(other)
    telegram.faults.refuse("sendMessage", "can't parse entities: x", chat=other.id)
    telegram.advance(5)
    assert waits(do, bot, chat) == 0
    with pytest.raises(BadRequest, match="Can't parse entities"):
        do(bot.send_message(other.id, "x"))
    for status in (500, 502):
        telegram.faults.break_("sendMessage", status)
        with pytest.raises(NetworkError, match=str(status)):
            do(bot.send_message(chat.id, "x"))
    telegram.faults.refuse("getUpdates", "terminated by other getUpdates request", code=409)
    with pytest.raises(Conflict):
        do(bot.get_updates())
    assert len(telegram.answers(chat)) == 3
    calls = telegram.called("sendMessage")
    assert [call.code for call in calls] == [200, 429, 200, 200, 400, 500, 502]


def test_lost_before_and_after(telegram: FakeTelegram, bot: Bot, do: Do[Any], chat: Chat) -> None:
    telegram.faults.drop("sendMessage")
    with pytest.raises(NetworkError):
        do(bot.send_message(chat.id, "x"))
    assert telegram.answers(chat) == []
    telegram.faults.lose_answer("sendMessage")
    with pytest.raises(NetworkError):
        do(bot.send_message(chat.id, "x"))
    assert len(telegram.answers(chat)) == 1
    do(bot.send_message(chat.id, "x"))
    assert len(telegram.doubled(chat)) == 2
    assert [(call.done, call.ok) for call in telegram.called("sendMessage")] == [
        (False, False),
        (True, False),
        (True, True),
    ]


def test_held_calls(telegram: FakeTelegram, bot: Bot, do: Do[Any], chat: Chat) -> None:
    async def send() -> None:
        before, after = telegram.faults.hold("sendMessage"), telegram.faults.hold_answer("sendMessage")
        first = asyncio.create_task(bot.send_message(chat.id, "one"))
        await telegram.until(lambda: telegram.called("sendMessage"))
        with pytest.raises(TimedOut):
            await bot.send_message(chat.id, "two", read_timeout=0.05)
        assert [seen.text for seen in telegram.answers(chat)] == ["two"]
        after.open()
        before.open()
        await first

    do(send())
    assert [seen.text for seen in telegram.answers(chat)] == ["two", "one"]


def test_a_server_that_goes_down_keeps_all(telegram: FakeTelegram, bot: Bot, do: Do[Any], chat: Chat) -> None:
    do(bot.send_message(chat.id, "before"))
    telegram.go_down()
    with pytest.raises(NetworkError):
        do(bot.send_message(chat.id, "while"))
    telegram.come_up()
    do(bot.send_message(chat.id, "after"))
    assert [seen.text for seen in telegram.answers(chat)] == ["before", "after"]
    assert len(do(bot.get_updates())) == 1


def test_logging_out(telegram: FakeTelegram, bot: Bot, do: Do[Any], chat: Chat) -> None:
    assert do(bot.log_out())
    with pytest.raises((BadRequest, InvalidToken), match="Logged out"):
        do(bot.send_message(chat.id, "x"))


def test_a_wait_in_vain_says_what_happened(telegram: FakeTelegram, bot: Bot, do: Do[Any], chat: Chat) -> None:
    do(bot.send_message(chat.id, "x"))
    with pytest.raises(TimeoutError, match="sendMessage ok"):
        telegram.wait_for(lambda: False, timeout=0.01)
