"""How many requests are at a backend at once."""

import asyncio

import pytest

from core.inference.openai_backend.gate import Gate


async def _enter(gate: Gate, leave: asyncio.Event, order: list[int], number: int) -> None:
    async with gate.place():
        order.append(number)
        await leave.wait()


async def _settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_first_come_first_served_and_never_more_than_the_limit() -> None:
    async def run() -> None:
        gate, order = Gate(2), list[int]()
        leave = [asyncio.Event() for _ in range(5)]
        tasks = [asyncio.create_task(_enter(gate, leave[n], order, n)) for n in range(5)]
        await _settle()
        assert (order, gate.inside) == ([0, 1], 2)
        leave[1].set()
        await _settle()
        assert (order, gate.inside) == ([0, 1, 2], 2)
        for event in leave:
            event.set()
        await asyncio.gather(*tasks)
        assert (order, gate.inside) == ([0, 1, 2, 3, 4], 0)

    asyncio.run(run())


@pytest.mark.parametrize("also_let_in", [False, True])
def test_who_is_cancelled_while_waiting_takes_no_place(also_let_in: bool) -> None:
    async def run() -> None:
        gate, order = Gate(1), list[int]()
        leave = [asyncio.Event() for _ in range(3)]
        first, second, third = [asyncio.create_task(_enter(gate, leave[n], order, n)) for n in range(3)]
        await _settle()
        if also_let_in:
            # The place is given in the same moment in which it is cancelled.
            leave[0].set()
            await asyncio.sleep(0)
        second.cancel()
        leave[0].set()
        await _settle()
        assert second.cancelled()
        assert (order, gate.inside) == ([0, 2], 1)
        leave[2].set()
        await asyncio.gather(first, third)
        assert gate.inside == 0

    asyncio.run(run())


def test_too_much_halves_it_once_and_answers_widen_it_again() -> None:
    async def run() -> None:
        gate = Gate(8)
        async with gate.place() as one, gate.place() as other:
            gate.narrow(one)
            gate.narrow(other)  # Sent before the first refusal came: the same news.
            assert gate.limit == 4
        for expected in (2, 1, 1):
            async with gate.place() as place:
                gate.narrow(place)
            assert gate.limit == expected
        for _ in range(20):
            gate.widen()
        assert gate.limit == 8

    asyncio.run(run())


def test_a_wider_gate_lets_in_who_waits() -> None:
    async def run() -> None:
        gate, order, leave = Gate(2), list[int](), asyncio.Event()
        async with gate.place() as place:
            gate.narrow(place)
            waiting = asyncio.create_task(_enter(gate, leave, order, 1))
            await _settle()
            assert order == []
            gate.widen()
            await _settle()
            assert order == [1]
            leave.set()
            await waiting

    asyncio.run(run())
