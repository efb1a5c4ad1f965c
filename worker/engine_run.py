"""One request's way through the engine, which is not relied on to come to an end."""

import asyncio
import contextlib
from contextlib import aclosing

from core.errors import DeadlineExceeded
from core.inference.port import Delta, Engine, Observation, Request
from worker.draft import Draft
from worker.held import HeldTurn
from worker.live import LiveView

# An engine keeps deadlines and stops by itself, within a step. One that is so much later hangs, and is left alone.
GRACE_S = 5.0


async def run_engine(
    engine: Engine, request: Request, draft: Draft, live: LiveView, held: HeldTurn, grace_s: float = GRACE_S
) -> None:
    """Collect the events of `request` in `draft` and show them in `live`, to the end of the stream.

    Raises:
        DeadlineExceeded: the engine went on for `grace_s` seconds after the deadline, or after `held` was stopped.
        GlimtError: what the engine raised.
    """
    loop = asyncio.get_running_loop()
    limit = asyncio.timeout(request.deadline_s + grace_s)

    def hurry() -> None:
        # Ended in this moment: then there is nothing left to limit.
        with contextlib.suppress(RuntimeError):
            limit.reschedule(min(limit.when() or 0.0, loop.time() + grace_s))

    try:
        async with limit:
            held.on_stop = lambda: loop.call_soon_threadsafe(hurry)
            events = engine.submit(request)
            if held.stop is not None:
                # Asked to stop before the engine knew the request.
                engine.cancel(request.id)
                hurry()
            async with aclosing(events):
                async for event in events:
                    text = draft.take(event)
                    if isinstance(event, Observation):
                        live.seen(draft.observations[-1])
                    elif text and isinstance(event, Delta):
                        live.text(text, "text" if event.kind == "answer" else "think")
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise DeadlineExceeded("the engine did not end by itself") from error
    finally:
        held.on_stop = None
