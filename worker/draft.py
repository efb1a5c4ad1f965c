"""An answer in the making: what one attempt has produced so far."""

from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from core.conversation.boxes import Box
from core.conversation.observed import as_stored
from core.inference.port import Delta, Event, Finished, Observation, Started
from core.store.outcome import Outcome
from core.values import FinishReason, TurnState, utc_now


@dataclass(slots=True)
class Draft:
    """Collects the engine's events; becomes the `Outcome` of the turn."""

    model: str
    left_out: tuple[dict[str, object], ...] = ()
    answer: list[str] = field(default_factory=list)
    thinking: list[str] = field(default_factory=list)
    # As they are stored.
    observations: list[dict[str, Any]] = field(default_factory=list)
    started: Started = field(default_factory=lambda: Started(0))
    finished: Finished | None = None
    first_token_at: datetime | None = None
    token_events: int = 0

    def take(self, event: Event) -> str:
        """Add one event; returns the text that it brought, as it is kept."""
        match event:
            case Observation():
                self.observations.append(as_stored(event))
            case Started():
                self.started = event
            case Delta(text, kind):
                if self.first_token_at is None:
                    self.first_token_at = utc_now()
                self.token_events += 1
                # PostgreSQL has no place for U+0000, and nobody can see it.
                text = text.replace("\0", "")
                (self.answer if kind == "answer" else self.thinking).append(text)
                return text
            case Finished():
                self.finished = event
                self.started = event.recount or self.started
        return ""

    def without_text(self) -> "Draft":
        """The same attempt with its counts and times, but nothing of what was said."""
        finished = self.finished and replace(self.finished, boxes=())
        return replace(self, answer=[], thinking=[], observations=[], finished=finished)

    @property
    def text(self) -> str:
        """The answer so far."""
        return "".join(self.answer).strip()

    @property
    def boxes(self) -> tuple[Box, ...]:
        """What the answer points out, once it is complete."""
        # PostgreSQL has no place for U+0000 in a label either.
        boxes = self.finished.boxes if self.finished else ()
        return tuple(replace(box, label=box.label.replace("\0", "")) for box in boxes)

    def outcome(
        self,
        state: Literal[TurnState.ANSWERED, TurnState.FAILED, TurnState.CANCELLED],
        *,
        error_code: str = "",
        error_message: str = "",
        history_hash: str = "",
    ) -> Outcome:
        """The end of the turn in `state`, with everything that this attempt produced."""
        cancelled = FinishReason.CANCELLED if state is TurnState.CANCELLED else ""
        return Outcome(
            state=state,
            answer=self.text,
            thinking="".join(self.thinking).strip(),
            observations=tuple(self.observations),
            finish_reason=self.finished.reason if self.finished else cancelled,
            error_code=error_code,
            error_message=error_message,
            model=self.model,
            prompt_tokens=self.started.prompt_tokens,
            picture_tokens=self.started.picture_tokens,
            cached_tokens=self.started.cached_tokens,
            # An attempt that broke off has no count of its own; a delta is a token or a little more.
            completion_tokens=self.finished.completion_tokens if self.finished else self.token_events,
            engine_s=self.finished.engine_s if self.finished else 0.0,
            left_out=self.left_out,
            boxes=tuple(asdict(box) for box in self.boxes),
            history_hash=history_hash,
            first_token_at=self.first_token_at,
        )
