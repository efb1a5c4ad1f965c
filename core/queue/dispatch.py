"""Announcing ready turns to the workers.

A message is only a hint: it may be lost (the sweeper announces again) or doubled (the claim in SQL lets one through).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

import structlog
from celery import Celery
from kombu.entity import Queue
from kombu.exceptions import OperationalError
from redis import Redis
from redis.exceptions import RedisError

from core.policy.watch import NoPolicies, Policies
from core.queue.affinity import find_holders, own_queue
from core.queue.celery_app import QUEUE, TASK_ANSWER
from core.queue.fleet import Fleet, model_queue
from core.settings import Settings
from core.store.database import Repositories, Store
from core.store.turn_dispatch import AskedAt
from core.values import utc_now

log = structlog.get_logger(__name__)

BATCH = 500
NOBODY: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Announced:
    """`sent`: how many ids were sent. `left`: which of them were left to the worker that holds their conversation."""

    sent: int = 0
    left: tuple[str, ...] = ()


class Dispatcher:
    """Picks the turns that may run now, fairly between people, and sends their ids to Celery.

    Follow-ups go to the worker that holds their conversation, for a moment: `affinity.py`. Where the mode of a place
    asks for a model, its turns go to the workers that run it, or to all if none does.
    """

    def __init__(
        self, store: Store, celery: Celery, redis: Redis, settings: Settings, policies: Policies | None = None
    ) -> None:
        self._store = store
        self._settings = settings
        self._policies = policies or NoPolicies()
        self.fleet = Fleet(redis)
        self._celery = celery
        self._redis = redis
        self._per_person = settings.parallel_per_person
        self._again = timedelta(seconds=settings.redispatch_s)
        self.affinity_s = settings.affinity_s

    def announce(
        self, people: Collection[str] = (), conversations: Collection[str] = (), limit: int = BATCH
    ) -> Announced:
        """Announce at most `limit` ready turns: of these people and conversations, or of everybody if both are empty.

        Redis being away raises nothing: the turns stay ready in SQL, unmarked.
        """
        now = utc_now()
        with self._store.read() as repositories:
            found = repositories.turns.dispatchable(
                now, limit, self._per_person, people=people, conversations=conversations
            )
            follow_ups = repositories.turns.follow_ups(found) if self.affinity_s else {}
            running = repositories.turns.running_of() if follow_ups else {}
            asked = self._asked_at(repositories, found)
        if not found:
            return Announced()
        models = self._models(asked)
        holders = find_holders(self._redis, follow_ups, running) if follow_ups else {}
        holders = {
            turn_id: owner
            for turn_id, owner in holders.items()
            if turn_id not in models or owner in self.fleet.owners(models[turn_id])
        }
        others = [turn_id for turn_id in found if turn_id not in holders]
        with self._store.write() as repositories:
            mark = repositories.turns.mark_dispatched
            won = {
                *mark(list(holders), now, now + timedelta(seconds=self.affinity_s)),
                *mark(others, now, now + self._again),
            }
        sent = self.send([turn_id for turn_id in found if turn_id in won], holders, models)
        return Announced(len(sent), tuple(turn_id for turn_id in sent if turn_id in holders))

    def release(self, turn_ids: Sequence[str]) -> int:
        """Announce to all workers those of these turns that were left to one and not taken. Returns how many."""
        now = utc_now()
        with self._store.write() as repositories:
            won = repositories.turns.mark_dispatched(turn_ids, now, now + self._again)
            asked = self._asked_at(repositories, won)
        return len(self.send(won, models=self._models(asked)))

    def send(
        self, turn_ids: Sequence[str], holders: Mapping[str, str] = NOBODY, models: Mapping[str, str] = NOBODY
    ) -> Sequence[str]:
        """Send these ids to Celery: to their holder (turn → owner), else to those who run their model (turn → model),
        else to all. Returns those that got through.

        The others are unmarked in SQL.
        """
        for sent, turn_id in enumerate(turn_ids):
            queue: Queue | str = QUEUE
            if turn_id in holders:
                queue = own_queue(holders[turn_id])
            elif turn_id in models:
                queue = model_queue(models[turn_id])
            try:
                self._celery.send_task(TASK_ANSWER, args=(turn_id,), queue=queue, ignore_result=True, retry=False)
            except (OperationalError, RedisError, OSError) as error:
                log.warning("announce_failed", error=type(error).__name__, unsent=len(turn_ids) - sent)
                with self._store.write() as repositories:
                    repositories.turns.undispatch(turn_ids[sent:])
                return turn_ids[:sent]
        return turn_ids

    def _asked_at(self, repositories: Repositories, turn_ids: Sequence[str]) -> Mapping[str, AskedAt]:
        """Where the turns were asked. No query while nobody asks for a certain model."""
        if not turn_ids or not self._policies.now.models:
            return {}
        return repositories.turns.asked_at(turn_ids)

    def _models(self, asked: Mapping[str, AskedAt]) -> dict[str, str]:
        """Those of the turns that are for a certain model which runs somewhere."""
        policies, found = self._policies.now, {}
        for turn_id, at in asked.items():
            model = policies.of(at.workspace_id, at.place).manner(at.persona, self._settings).model
            if model and self.fleet.owners(model):
                found[turn_id] = model
        return found
