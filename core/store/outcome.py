"""What came of one attempt at a turn: the worker hands it to `TurnRepository.finish`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from core.values import TurnState


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a turn. Counts are in tokens (`picture_tokens` and `cached_tokens` are part of `prompt_tokens`).

    `error_message` is shown to the user; it holds nothing internal. `engine_s` is time inside the engine, in seconds.
    `observations` are what the eyes saw: ({"picture": key, "model": …, "text": …}, …), without text where they saw
    nothing. `left_out` lists what the token budget kept out of the prompt:
    ({"seq": 1, "what": "text" | "pictures"}, …). `boxes` are those of the answer, each as
    `core.conversation.boxes.Box` has it.
    `history_hash` is the digest of the conversation up to and with this answer, empty where nobody will ask for it.
    `first_token_at` of None keeps what `first_token` wrote.
    """

    state: Literal[TurnState.ANSWERED, TurnState.FAILED, TurnState.CANCELLED]
    answer: str = ""
    thinking: str = ""
    observations: tuple[dict[str, Any], ...] = ()
    finish_reason: str = ""
    error_code: str = ""
    error_message: str = ""
    model: str = ""
    prompt_tokens: int = 0
    picture_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    engine_s: float = 0.0
    left_out: tuple[dict[str, Any], ...] = ()
    boxes: tuple[dict[str, Any], ...] = ()
    history_hash: str = ""
    first_token_at: datetime | None = None

    @property
    def computed(self) -> bool:
        """Whether the attempt cost anything."""
        return self.prompt_tokens > 0 or self.completion_tokens > 0
