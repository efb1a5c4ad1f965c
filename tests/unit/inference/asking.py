"""Asks an engine and reads its events, for tests of every engine."""

import asyncio

from core.inference.port import Delta, Engine, Event, Events, Finished, Message, Picture, Request, Sampling


def asked(
    text: str,
    *,
    id: str = "r1",
    pictures: tuple[Picture, ...] = (),
    deadline_s: float = 60.0,
    sampling: Sampling | None = None,
    reasoning: bool = False,
) -> Request:
    """A request of one question."""
    message = Message("user", text, pictures)
    return Request(id, (message,), sampling or Sampling(), reasoning=reasoning, deadline_s=deadline_s)


async def gather(stream: Events) -> list[Event]:
    """All events that are left."""
    return [event async for event in stream]


async def first_delta(stream: Events) -> Delta:
    """Read until there is text."""
    while not isinstance(event := await anext(stream), Delta):
        pass
    return event


def collect(engine: Engine, request: Request) -> list[Event]:
    """All events of a request, from a loop of its own."""
    return asyncio.run(gather(engine.submit(request)))


def said(events: list[Event], kind: str = "answer") -> str:
    """The text of one kind."""
    return "".join(event.text for event in events if isinstance(event, Delta) and event.kind == kind)


def end_of(events: list[Event]) -> Finished:
    """The last event, which must be the end."""
    assert isinstance(events[-1], Finished)
    return events[-1]
