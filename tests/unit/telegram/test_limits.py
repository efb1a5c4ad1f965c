"""Flood control on our side: what Telegram never sees, what goes first, and what a 429 changes."""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

import pytest
from telegram.error import RetryAfter

from bots.telegram.limits import Limits, NotNow, Pace, Rank, ranked

# A hundred times faster than Telegram's, so that a test need not wait.
FAST = Pace(overall=6, overall_s=0.12, chat_s=0.04, burst=2, group=4, group_s=0.4, spare=2, group_spare=2)


class Server:
    """Notes when each call came, and answers after a while."""

    def __init__(self, limits: Limits, takes_s: float = 0.005) -> None:
        self.limits, self.takes_s = limits, takes_s
        self.came: list[tuple[float, int, str]] = []
        self.refuse: dict[int, list[Exception]] = {}

    async def call(self, chat: int, what: str = "", endpoint: str = "sendMessage") -> Any:
        async def callback() -> bool:
            self.came.append((asyncio.get_running_loop().time(), chat, what))
            await asyncio.sleep(self.takes_s)
            if waiting := self.refuse.get(chat):
                raise waiting.pop(0)
            return True

        return await self.limits.process_request(callback, (), {}, endpoint, {"chat_id": chat}, None)

    async def ranked(self, rank: Rank, chat: int, what: str = "") -> Any:
        with ranked(rank):
            return await self.call(chat, what or rank.name)

    def times(self, chat: int | None = None) -> list[float]:
        return [at for at, one, _ in self.came if chat in (None, one)]


def run(scenario: Coroutine[Any, Any, None]) -> None:
    async def within() -> None:
        async with asyncio.timeout(30):
            await scenario

    asyncio.run(within())


def most_within(times: list[float], seconds: float) -> int:
    """The most of them in any such period."""
    return max(sum(begin <= at < begin + seconds for at in times) for begin in times)


def test_no_period_ever_has_more_than_is_allowed() -> None:
    async def scenario() -> None:
        server = Server(Limits(FAST))
        chats = [*range(1, 20), -1, -2] * 3
        await asyncio.gather(*(server.call(chat) for chat in chats))
        assert len(server.came) == len(chats)
        assert most_within(server.times(), FAST.overall_s) <= FAST.overall
        assert max(most_within(server.times(chat), FAST.burst * FAST.chat_s) for chat in set(chats)) <= FAST.burst

    run(scenario())


def test_a_group_gets_so_many_a_minute() -> None:
    async def scenario() -> None:
        server = Server(Limits(FAST))
        await asyncio.gather(*(server.call(-100, str(number)) for number in range(10)))
        assert most_within(server.times(), FAST.group_s) <= FAST.group
        # Nothing overtakes in a chat, or an edit would come before its message.
        assert [what for _, _, what in server.came] == [str(number) for number in range(10)]

    run(scenario())


def test_answers_go_before_most_replies_and_previews_make_way() -> None:
    async def scenario() -> None:
        server = Server(Limits(FAST))
        full = [asyncio.create_task(server.call(chat)) for chat in range(1, 7)]
        await asyncio.sleep(0)
        replies = [asyncio.create_task(server.ranked(Rank.REPLY, chat)) for chat in range(10, 13)]
        finals = [asyncio.create_task(server.ranked(Rank.FINAL, chat)) for chat in range(20, 26)]
        await asyncio.sleep(0)
        with pytest.raises(NotNow):
            await server.ranked(Rank.PREVIEW, 30)
        await asyncio.gather(*full, *replies, *finals)
        assert [what for _, _, what in server.came[6:]] == ["FINAL"] * 3 + ["REPLY"] + ["FINAL"] * 3 + ["REPLY"] * 2

    run(scenario())


def test_previews_leave_room_for_the_answer() -> None:
    async def scenario() -> None:
        server = Server(Limits(FAST))
        for _ in range(2):
            await server.ranked(Rank.PREVIEW, -1)
            await asyncio.sleep(2 * FAST.chat_s)
        with pytest.raises(NotNow):
            # Half of the group's minute is left, for what must not wait.
            await server.ranked(Rank.PREVIEW, -1)
        await server.ranked(Rank.PREVIEW, 1)
        with pytest.raises(NotNow):
            await server.ranked(Rank.PREVIEW, 1)
        # Right behind the preview.
        await server.ranked(Rank.FINAL, 1)
        assert [chat for _, chat, _ in server.came] == [-1, -1, 1, 1]

    run(scenario())


def test_a_chat_that_telegram_wants_left_alone_is_and_others_go_on() -> None:
    async def scenario() -> None:
        server = Server(Limits(FAST))
        server.refuse[1] = [RetryAfter(timedelta(seconds=0.3))]
        waits = asyncio.create_task(server.ranked(Rank.FINAL, 1))
        await asyncio.sleep(0.05)
        await server.call(2)
        assert not waits.done()
        assert await waits
        first, second = server.times(1)
        assert second - first >= 0.3

    run(scenario())


def test_two_chats_that_are_told_at_once_mean_everybody() -> None:
    async def scenario() -> None:
        server = Server(Limits(FAST))
        for chat in (1, 2):
            server.refuse[chat] = [RetryAfter(timedelta(seconds=0.3))]
        told = [asyncio.create_task(server.call(chat)) for chat in (1, 2)]
        await asyncio.sleep(0.05)
        told_at = asyncio.get_running_loop().time()
        await server.call(3)
        assert server.times(3)[0] - told_at > 0.2
        await asyncio.gather(*told)

    run(scenario())


@pytest.mark.parametrize(("rank", "pause"), [(Rank.PREVIEW, 0.01), (Rank.FINAL, 3600)])
def test_what_is_not_waited_for_is_told(rank: Rank, pause: float) -> None:
    async def scenario() -> None:
        server = Server(Limits(FAST))
        server.refuse[1] = [RetryAfter(timedelta(seconds=pause))]
        with pytest.raises(RetryAfter):
            await server.ranked(rank, 1)
        assert len(server.came) == 1

    run(scenario())


def test_a_call_that_is_cancelled_takes_no_place_with_it() -> None:
    async def scenario() -> None:
        server = Server(Limits(FAST))
        waiting = [asyncio.create_task(server.call(1)) for _ in range(6)]
        await asyncio.sleep(0.01)
        for task in waiting[2:]:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await asyncio.gather(*(server.call(chat) for chat in range(1, 9)))
        assert len(server.came) == 2 + 8

    run(scenario())


def test_what_brings_no_message_does_not_count() -> None:
    async def scenario() -> None:
        server = Server(Limits(FAST))
        await asyncio.gather(*(server.call(1, endpoint="answerCallbackQuery") for _ in range(50)))
        await server.call(1)
        assert len(server.came) == 51

    run(scenario())
