"""A turn that this worker has claimed, and what the engine is asked for it."""

from dataclasses import dataclass
from typing import Any

from core.conversation.prompt import Prompt, build_prompt
from core.inference.port import Engine, Request, Sampling
from core.media.blobs import BlobStore
from core.policy.effective import Manner
from core.settings import Settings
from core.store.models import Conversation, Turn
from worker.held import HeldTurn

_SAMPLING = frozenset(Sampling.__slots__)


@dataclass(frozen=True, slots=True)
class Claimed:
    """One attempt: the turn, those before it, and how it is to be answered."""

    turn: Turn
    past: list[Turn]
    conversation: Conversation
    manner: Manner
    held: HeldTurn

    @property
    def sampling(self) -> Sampling:
        """What was asked for with the turn counts before the manner."""
        options = self.turn.options.items()
        chosen: dict[str, Any] = {**self.manner.sampling, **{k: value for k, value in options if k in _SAMPLING}}
        chosen["stop"] = tuple(chosen.get("stop", ()))
        return Sampling(**chosen)

    def prompt(self, engine: Engine, blobs: BlobStore) -> Prompt:
        """What the model reads. Raises as `build_prompt`."""
        context = engine.context_tokens
        return build_prompt(
            self.turn,
            self.past,
            system=self.conversation.system_prompt or self.manner.system,
            conversation_system=self.conversation.system_prompt,
            # Half of a small context is the most that an answer may reserve.
            budget=context - min(self.sampling.max_new_tokens, context // 2),
            count=engine.count_tokens,
            blobs=blobs,
        )

    def request(self, prompt: Prompt, settings: Settings) -> Request:
        """What the engine is asked for."""
        return Request(
            id=self.held.request_id,
            messages=prompt.messages,
            sampling=self.sampling,
            reasoning=bool(self.turn.options.get("reasoning", self.manner.thinking)),
            tenant=self.conversation.workspace_id,
            cache_scope=self.turn.conversation_id,
            person=self.turn.person_id,
            about=prompt.about,
            deadline_s=settings.turn_deadline_s,
        )
