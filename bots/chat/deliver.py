"""Brings the answers of one platform to it: each once, also over crashes of this process (docs/adr/0016).

async with Deliverer(platform, services) as deliverer:
    accepted = await services.ask(inbound)       # with `reply_to`
    deliverer.wake()                             # or it is found a second later
"""

import asyncio
import itertools
import os
import secrets
import socket
from contextlib import suppress
from datetime import timedelta
from types import TracebackType
from typing import Self

import structlog

from bots.chat.bringing import Bringing, KnownPost
from bots.chat.platform import Address, ChatPlatform
from bots.chat.sending import Sending
from bots.chat.spoken import SpokenNotice, SpokenWords
from bots.chat.texts import texts_for
from bots.services import Services
from core.errors import GlimtError
from core.store.delivery_reads import Recipient
from core.store.models import Delivery, Post
from core.store.takeovers import notice_of
from core.values import utc_now

log = structlog.get_logger(__name__)

LEASE_S = 15.0
POLL_S = 1.0
# Answers that one process brings at once; the others wait in SQL.
MOST = 2000
# How long turns that have just been accepted are gathered, to be claimed together.
GATHER_S = 0.05
# Updates of answers that are being written, a second, of all together: beyond this everybody's come less often.
# One workspace of Slack takes no more than about two a second anyway.
UPDATES_S = 20.0
# While questions wait so long for their commit, or everything for its turn in this process, answers stand back: a
# platform repeats a question that is not acknowledged in time, which would make it worse.
PRESSED_S = 0.25
STAND_BACK_S = 1.0
FEW = 20
# How long messages that are being sent get when the process stops.
CLOSE_S = 10.0


class Deliverer:
    """Use it as an async context manager. Several processes may deliver for one platform: leases keep them apart."""

    def __init__(
        self,
        platform: ChatPlatform,
        services: Services,
        *,
        lease_s: float = LEASE_S,
        poll_s: float = POLL_S,
        pressed_s: float = PRESSED_S,
    ) -> None:
        self._platform = platform
        self._services = services
        self._lease = timedelta(seconds=lease_s)
        self._poll_s = poll_s
        self._pressed_s = pressed_s
        self._owner = f"{socket.gethostname()[:24]}:{os.getpid()}:{secrets.token_hex(4)}"
        self._claims = itertools.count(1)
        self._sendings: dict[str, Bringing] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._wanted: set[str] = set()
        self._wake = asyncio.Event()
        self._closing = False
        self._look = False
        self._late_s = 0.0
        self._loops: tuple[asyncio.Task[None], ...] = ()

    async def __aenter__(self) -> Self:
        self._loops = (
            asyncio.create_task(self._search(), name="deliveries"),
            asyncio.create_task(self._heartbeat(), name="deliveries-heartbeat"),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Let go of what is still being written, finish what is being sent. Another process goes on at once."""
        self._closing = True
        self._wake.set()
        await asyncio.wait({self._loops[0]})
        for sending in self._sendings.values():
            sending.stop.set()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=CLOSE_S)
            for task in late:
                task.cancel()
        self._loops[1].cancel()
        await asyncio.gather(*self._loops, *self._tasks, return_exceptions=True)

    @property
    def busy(self) -> int:
        """How many answers are on their way."""
        return len(self._sendings)

    def begin(self, turn_id: str) -> None:
        """This turn was accepted with `reply_to`, or is to be answered again: take it at once."""
        self._wanted.add(turn_id)
        self._wake.set()

    def look(self) -> None:
        """Something is to be brought besides answers that were asked for here: look for it at once."""
        self._look = True
        self._wake.set()

    async def _search(self) -> None:
        loop = asyncio.get_running_loop()
        next_look = loop.time()
        next_claim = next_look
        while not self._closing:
            await self._gather(next_claim)
            next_claim = loop.time() + GATHER_S
            self._wake.clear()
            wanted, self._wanted = self._wanted, set()
            everything = self._look or loop.time() >= next_look
            self._look = False
            if everything:
                next_look = loop.time() + self._poll_s
            try:
                for sending in await asyncio.to_thread(self._claim, wanted, everything):
                    self._start(sending)
            except GlimtError as error:
                log.warning("deliveries_not_claimed", error=error.code)
            except Exception:
                # Nobody would start this task again.
                log.exception("deliveries_error")
            with suppress(TimeoutError):
                async with asyncio.timeout_at(next_look):
                    await self._wake.wait()

    def _claim(self, wanted: set[str], everything: bool) -> list[Bringing]:
        """What of `wanted` (or of everything) is to be brought now. One read, and one write if there is anything."""
        now = utc_now()
        room = min(FEW if self._pressed() else MOST, max(0, MOST - len(self._sendings)))
        with self._services.store.read() as repositories:
            deliveries = repositories.deliveries
            due = set(deliveries.due(self._platform.platform, now, room)) if everything else set()
            # Those that are left over are found a second later.
            due |= deliveries.ids_of(list(wanted)[: room - len(due)])
        if not due:
            return []
        # Another one for each claim: what was begun for an earlier one, before *try again*, must not end this one.
        owner = f"{self._owner}:{next(self._claims)}"
        with self._services.store.write() as repositories:
            claimed = repositories.deliveries.claim(due, owner, now, now + self._lease)
        ids = [delivery.id for delivery in claimed]
        # They are ours now: nothing of them changes while the writer is let go of.
        with self._services.store.read() as repositories:
            recipients, posts = repositories.deliveries.recipients(ids), repositories.deliveries.posts(ids)
        return [self._bringing(d, owner, recipients[d.id], posts[d.id]) for d in claimed if d.id in recipients]

    def _bringing(self, delivery: Delivery, owner: str, to: Recipient, posts: list[Post]) -> Bringing:
        notice = notice_of(delivery.kind)
        by_human = notice is None and bool(to.answered_by)
        address = Address(
            turn_id=delivery.turn_id,
            workspace=to.workspace.external_id,
            person=to.person.external_id,
            target=delivery.target,
            texts=texts_for(to.person.language or to.person.locale),
            resumed=delivery.attempts > 1 or bool(posts),
            by_human=by_human,
            spoken=delivery.id if by_human or notice is not None else "",
        )
        known = {post.position: KnownPost(post.external_id, post.complete) for post in posts}
        common = (self._platform, self._services, owner, delivery.id, delivery.attempts, address, known)
        if notice is not None:
            return SpokenNotice(*common, notice=notice)
        if by_human:
            return SpokenWords(*common)
        return Sending(*common, pace=self._pace, pressed=self._pressed)

    async def _gather(self, until: float) -> None:
        """Wait until then, and a little more while this process is behind with acknowledgements."""
        loop = asyncio.get_running_loop()
        until = max(until, loop.time())
        latest = until + STAND_BACK_S
        while not self._closing:
            await asyncio.sleep(until - loop.time())
            self._late_s = loop.time() - until
            if not self._pressed() or loop.time() > latest:
                return
            until = loop.time() + GATHER_S

    def _pressed(self) -> bool:
        return max(self._late_s, self._services.urgent_writes.lag_s) > self._pressed_s

    def _pace(self) -> float:
        return max(1.0, len(self._sendings) * self._platform.cadence.every_s / UPDATES_S)

    def _start(self, sending: Bringing) -> None:
        self._sendings[sending.delivery_id] = sending
        task = asyncio.create_task(self._run(sending), name=f"delivery-{sending.delivery_id}")
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("delivery_died", task=task.get_name())

    async def _run(self, sending: Bringing) -> None:
        try:
            await sending.run()
        except GlimtError as error:
            # The lease runs out, and somebody goes on with what was noted.
            log.warning("delivery_interrupted", delivery=sending.delivery_id, error=error.code)
        except Exception:
            log.exception("delivery_error", delivery=sending.delivery_id)
        finally:
            if self._sendings.get(sending.delivery_id) is sending:
                del self._sendings[sending.delivery_id]

    async def _heartbeat(self) -> None:
        while True:
            await asyncio.sleep(self._lease.total_seconds() / 3)
            try:
                held = await asyncio.to_thread(self._prolong, list(self._sendings))
            except GlimtError as error:
                log.warning("deliveries_not_prolonged", error=error.code)
                continue
            for delivery_id, sending in self._sendings.items():
                if delivery_id not in held:
                    sending.stop.set()

    def _prolong(self, delivery_ids: list[str]) -> set[str]:
        with self._services.store.write() as repositories:
            return repositories.deliveries.prolong(self._owner, delivery_ids, utc_now() + self._lease)
