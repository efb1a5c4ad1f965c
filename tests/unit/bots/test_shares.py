"""Shares of what is scarce."""

import asyncio

import pytest

from serving.shares import Shares


async def is_waiting(task: "asyncio.Task[None]") -> bool:
    """Whether the task still waits after everything else had its turn."""
    for _ in range(5):
        await asyncio.sleep(0)
    return not task.done()


def test_each_person_has_a_share_and_the_next_in_line_gets_what_is_given_back() -> None:
    async def run() -> None:
        shares = Shares(2)
        await shares.take("ann")
        await shares.take("ann")
        await shares.take("bob")
        third = asyncio.create_task(shares.take("ann"))
        fourth = asyncio.create_task(shares.take("ann"))
        assert await is_waiting(third)
        shares.give_back("ann")
        await third
        assert await is_waiting(fourth)
        shares.give_back("ann")
        await fourth

    asyncio.run(run())


def test_who_stops_waiting_takes_nothing() -> None:
    async def run() -> None:
        shares = Shares(1)
        await shares.take("ann")
        waiting = asyncio.create_task(shares.take("ann"))
        assert await is_waiting(waiting)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        shares.give_back("ann")
        await asyncio.wait_for(shares.take("ann"), 1)

    asyncio.run(run())


def test_a_block_that_fails_gives_its_share_back() -> None:
    async def run() -> None:
        shares = Shares(1)
        with pytest.raises(KeyError):
            async with shares.one_of("ann"):
                raise KeyError
        await asyncio.wait_for(shares.take("ann"), 1)

    asyncio.run(run())


def test_nothing_is_remembered_of_people_who_have_gone() -> None:
    async def run() -> Shares:
        shares = Shares(1)
        for number in range(100):
            async with shares.one_of(f"person {number}"):
                pass
        return shares

    assert not vars(asyncio.run(run()))["_shares"]
