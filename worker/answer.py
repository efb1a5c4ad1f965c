"""The `answer` task: one attempt at one turn, from the claim to the fenced end."""

import asyncio
import threading
import time
from datetime import timedelta

import structlog
from redis import Redis

from core.conversation import digest
from core.conversation.prompt import HISTORY_TURNS, Prompt, pictures_of
from core.errors import EngineStopped, GlimtError, InferenceError, LostLease, ModelNotRunning, StoreError
from core.inference.port import Engine
from core.media.blobs import BlobStore
from core.policy.watch import NoPolicies, Policies
from core.queue.affinity import note_holder
from core.queue.announcer import Announcer
from core.queue.fleet import Fleet
from core.queue.streams import TurnWriter
from core.settings import Settings
from core.store.database import Store
from core.store.outcome import Outcome
from core.values import FinishReason, TurnState, utc_now
from worker.backoff import back_off
from worker.claimed import Claimed
from worker.draft import Draft
from worker.engine_run import run_engine
from worker.held import HeldTurns, Stop
from worker.live import LiveView

log = structlog.get_logger(__name__)

# How long a finished answer is kept in hand while the database is away; the lease's fence makes it safe.
KEEP_ANSWER_S = 60.0


class Answerer:
    """Answers turns. `answer` is called from many task threads at once; each has an event loop of its own."""

    def __init__(
        self,
        engine: Engine,
        store: Store,
        blobs: BlobStore,
        redis: Redis,
        held: HeldTurns,
        announcer: Announcer,
        owner: str,
        settings: Settings,
        policies: Policies | None = None,
        fleet: Fleet | None = None,
    ) -> None:
        self._engine = engine
        self._store = store
        self._blobs = blobs
        self._redis = redis
        self._held = held
        self._announcer = announcer
        self._owner = owner
        self._settings = settings
        self._policies = policies or NoPolicies()
        self._fleet = fleet
        self._closing = False
        self._remembers = settings.affinity_s > 0 and engine.stats().prefix_budget > 0
        self._runners = threading.local()

    def refuse_new(self) -> None:
        """From now on `answer` leaves turns where they are; another worker or the next start takes them."""
        self._closing = True

    def answer(self, turn_id: str) -> None:
        """One attempt, if the turn is there to be claimed. Returns when it ended; raises nothing on purpose."""
        if self._closing:
            with self._store.write() as repositories:
                repositories.turns.undispatch([turn_id])
            return
        claimed = self._claim(turn_id)
        if claimed is None:
            log.debug("nothing_to_claim", turn=turn_id)
            return
        try:
            self._runner().run(self._attempt(claimed))
        finally:
            self._held.remove(claimed.held)
            self._announcer.hint(claimed.turn.person_id, claimed.turn.conversation_id)

    def _runner(self) -> asyncio.Runner:
        runner: asyncio.Runner | None = getattr(self._runners, "runner", None)
        if runner is None:
            runner = self._runners.runner = asyncio.Runner()
        return runner

    def _claim(self, turn_id: str) -> Claimed | None:
        now = utc_now()
        policies = self._policies.now
        with self._store.write() as repositories:
            lease_until = now + timedelta(seconds=self._settings.lease_s)
            claimed = repositories.turns.claim(turn_id, self._owner, now, lease_until)
            if claimed is None:
                return None
            conversation = repositories.conversations.get(claimed.conversation_id)
            assert conversation is not None  # a foreign key says so
            place = repositories.places.of_conversation(conversation)
            *past, turn = repositories.turns.of_conversation(
                claimed.conversation_id, before_seq=claimed.seq + 1, limit=HISTORY_TURNS
            )
        effective = policies.of(conversation.workspace_id, place.external_id if place is not None else "")
        manner = effective.manner(place.persona if place is not None else "", self._settings)
        return Claimed(turn, past, conversation, manner, self._held.add(turn.id, turn.attempt))

    async def _attempt(self, claimed: Claimed) -> None:
        turn, held = claimed.turn, claimed.held
        writer = TurnWriter(self._redis, turn.id, turn.attempt, self._settings.stream_ttl_s)
        draft = Draft(self._engine.model_name)
        try:
            if self._closing:
                # Claimed after `refuse_new`, so perhaps after the last look at what is held: nobody else gives it back.
                self._give_back(claimed, writer)
                return
            if self._remembers:
                note_holder(self._redis, turn.conversation_id, self._owner)
            if self._runs_elsewhere(claimed):
                self._give_back(claimed, writer)
                return
            prompt = claimed.prompt(self._engine, self._blobs)
            draft.left_out = tuple(prompt.left_out)
            with LiveView(writer, self._settings.stream_flush_s) as live:
                await run_engine(self._engine, claimed.request(prompt, self._settings), draft, live, held)
            self._end(claimed, draft, prompt, writer)
        except LostLease:
            log.warning("lease_lost", turn=turn.id, attempt=turn.attempt)
        except GlimtError as error:
            self._fail(claimed, draft, writer, error)
        except Exception as error:
            log.exception("answer_error", turn=turn.id, attempt=turn.attempt)
            self._fail(claimed, draft, writer, InferenceError(type(error).__name__))

    def _runs_elsewhere(self, claimed: Claimed) -> bool:
        """Whether the turn's model is none of ours, and somebody else runs it: whoever announced it did not know.

        Raises:
            ModelNotRunning: no other model may answer, and nobody runs it.
        """
        model = claimed.manner.model
        if not model or model == self._engine.model_name:
            return False
        if self._fleet is not None and self._fleet.owners(model) - {self._owner}:
            return True
        if claimed.manner.model_required:
            raise ModelNotRunning(model)
        log.info("other_model_answers", turn=claimed.turn.id, asked=model)
        return False

    def _end(self, claimed: Claimed, draft: Draft, prompt: Prompt, writer: TurnWriter) -> None:
        """The engine ended the stream in an orderly way."""
        turn = claimed.turn
        if draft.finished is not None and draft.finished.reason is FinishReason.CANCELLED:
            self._stopped(claimed, draft, writer)
            return
        keys = [picture.key for picture in pictures_of(turn)]
        history_hash = digest.extend(prompt.history_digest, turn.question, keys, draft.text)
        self._finish(claimed, draft.outcome(TurnState.ANSWERED, history_hash=history_hash), writer)

    def _stopped(self, claimed: Claimed, draft: Draft, writer: TurnWriter) -> None:
        match claimed.held.stop:
            case Stop.CANCELLED:
                self._finish(claimed, draft.outcome(TurnState.CANCELLED), writer)
            case Stop.GIVE_BACK:
                self._give_back(claimed, writer)
            case _:
                raise LostLease

    def _fail(self, claimed: Claimed, draft: Draft, writer: TurnWriter, error: GlimtError) -> None:
        """Write a bad end. Raises nothing: what cannot be written is left to the reaper."""
        turn = claimed.turn
        log.warning("attempt_failed", turn=turn.id, attempt=turn.attempt, error=error.code, detail=str(error))
        # The second time without what was said: maybe it is the text that cannot be written.
        for said in (draft, draft.without_text()):
            try:
                self._end_badly(claimed, said, writer, error)
            except LostLease:
                log.warning("lease_lost", turn=turn.id, attempt=turn.attempt)
            except StoreError as store_error:
                log.error("end_not_written", turn=turn.id, attempt=turn.attempt, error=str(store_error))
            except Exception:
                log.exception("end_not_written", turn=turn.id, attempt=turn.attempt)
                continue
            return

    def _end_badly(self, claimed: Claimed, draft: Draft, writer: TurnWriter, error: GlimtError) -> None:
        turn = claimed.turn
        if claimed.held.stop is not None:
            # Whatever broke, somebody wanted this attempt to end anyway.
            self._stopped(claimed, draft, writer)
        elif isinstance(error, EngineStopped) and self._closing:
            self._give_back(claimed, writer)
        elif error.retryable and turn.failures + 1 < self._settings.max_failures:
            self._retry_later(claimed, writer, error)
        else:
            outcome = draft.outcome(TurnState.FAILED, error_code=error.code, error_message=error.user_message)
            self._finish(claimed, outcome, writer)

    def _finish(self, claimed: Claimed, outcome: Outcome, writer: TurnWriter) -> None:
        turn = claimed.turn
        patience, kept = time.monotonic() + KEEP_ANSWER_S, False
        while True:
            try:
                with self._store.write() as repositories:
                    repositories.turns.finish(turn.id, self._owner, turn.attempt, outcome, utc_now())
                break
            except LostLease:
                raise
            except StoreError:
                if time.monotonic() > patience:
                    raise
                if not kept:
                    log.warning("answer_kept_in_hand", turn=turn.id, attempt=turn.attempt, at_most_s=KEEP_ANSWER_S)
                    kept = True
                time.sleep(0.5)
        writer.end()
        writer.flush()
        log.info(
            "turn_ended",
            turn=turn.id,
            attempt=turn.attempt,
            state=outcome.state,
            prompt_tokens=outcome.prompt_tokens,
            cached_tokens=outcome.cached_tokens,
            tokens=outcome.completion_tokens,
        )

    def _retry_later(self, claimed: Claimed, writer: TurnWriter, error: GlimtError) -> None:
        turn, now = claimed.turn, utc_now()
        not_before = now + timedelta(seconds=back_off(turn.failures, self._settings.retry_base_s))
        with self._store.write() as repositories:
            state = repositories.turns.retry_later(
                turn.id, self._owner, turn.attempt, now=now, not_before=not_before, error_code=error.code
            )
        if state is TurnState.READY:
            writer.retry(error.user_message)
        self._released(state, writer)

    def _give_back(self, claimed: Claimed, writer: TurnWriter) -> None:
        turn = claimed.turn
        with self._store.write() as repositories:
            state = repositories.turns.give_back(turn.id, self._owner, turn.attempt, utc_now())
        self._released(state, writer)
        log.info("turn_given_back", turn=turn.id, attempt=turn.attempt)

    def _released(self, state: TurnState | None, writer: TurnWriter) -> None:
        if state is None:
            raise LostLease
        if state is TurnState.CANCELLED:
            # Somebody pressed Stop in the same moment; there will be no other attempt.
            writer.end()
        writer.flush()
