"""Computes tokens for many sequences: what stands between the inference thread and the model."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from transformers import DynamicCache

from core.errors import InferenceError
from core.inference.failures import as_failure
from core.inference.loader import LoadedModel
from core.inference.port import EngineStats, Sampling
from core.inference.render import Prompt
from core.inference.sampling import Sampler


class Sequence:
    """One sequence in computation: at most `limit` tokens behind its prompt, `computed` are those so far.

    A stepper keeps its own state of it in `state`. `tenant` and `scope` are the request's: what is computed is used
    again within them alone. `person` is whom it is computed for.
    """

    def __init__(
        self, prompt: Prompt, sampling: Sampling, limit: int, tenant: str = "", scope: str = "", person: str = ""
    ) -> None:
        self.prompt = prompt
        self.sampling = sampling
        self.limit = limit
        self.tenant = tenant
        self.scope = scope
        self.person = person
        self.computed: list[int] = []
        self.state: Any = None

    @property
    def most_tokens(self) -> int:
        """Tokens of the prompt and of the longest answer."""
        return self.prompt.tokens + self.limit


@dataclass(frozen=True, slots=True)
class Admitted:
    """Computing begins; `cached_tokens` of the prompt are known from before."""

    cached_tokens: int = 0


# A sequence with what came of it: `Admitted` once, then tokens, or the reason why it cannot go on: then it has left.
Outcome = tuple[Sequence, Admitted | int | InferenceError]


class Stepper(Protocol):
    """Holds sequences and advances them. Not thread-safe: the inference thread alone calls it."""

    def add(self, sequence: Sequence) -> None:
        """Take in a sequence; computing begins with the next step."""

    def remove(self, sequence: Sequence) -> None:
        """Let go of a sequence and its memory. One that is not there is ignored."""

    def step(self) -> Iterator[Outcome]:
        """Advance every sequence by at most one token. Between two outcomes sequences may be removed.

        A failure concerns the sequence that it comes with and no other.
        """

    def stats(self) -> EngineStats:
        """Its part of the engine's numbers. May be called from any thread."""


class RoundRobinStepper:
    """One forward pass a sequence and token, each with its own `DynamicCache`. At most one prompt is taken in a step.

    Right for every family whose cache is a `DynamicCache`: nothing is shared between sequences.
    """

    def __init__(self, loaded: LoadedModel) -> None:
        self._model = loaded.model
        self._config = loaded.model.config
        self._device = loaded.device
        self._dtype = loaded.model.dtype
        self._suppressed = torch.tensor(sorted(loaded.vocabulary.suppressed), dtype=torch.long, device=loaded.device)
        self._waiting: list[Sequence] = []
        self._running: list[Sequence] = []

    def add(self, sequence: Sequence) -> None:
        self._waiting.append(sequence)

    def remove(self, sequence: Sequence) -> None:
        for sequences in (self._waiting, self._running):
            if sequence in sequences:
                sequences.remove(sequence)
        sequence.state = None

    def step(self) -> Iterator[Outcome]:
        if self._waiting:
            newcomer = self._waiting.pop(0)
            self._running.append(newcomer)
            yield newcomer, Admitted()
        for sequence in list(self._running):
            if sequence in self._running:
                yield sequence, self._advance(sequence)

    def stats(self) -> EngineStats:
        return EngineStats(waiting=len(self._waiting), running=len(self._running))

    def _advance(self, sequence: Sequence) -> int | InferenceError:
        try:
            with torch.inference_mode():
                token = self._next(sequence)
        except Exception as error:
            return self._drop(sequence, as_failure(error))
        sequence.computed.append(token)
        return token

    def _drop(self, sequence: Sequence, error: InferenceError) -> InferenceError:
        self.remove(sequence)
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
        return error

    def _next(self, sequence: Sequence) -> int:
        prompt = sequence.prompt
        if sequence.state is None:
            sampler = Sampler(sequence.sampling, prompt.ids[0], self._suppressed)
            sequence.state = cache, sampler = DynamicCache(config=self._config), sampler
            ids, positions, inputs = (
                prompt.ids,
                prompt.positions,
                {k: self._placed(v) for k, v in prompt.inputs.items()},
            )
        else:
            cache, sampler = sequence.state
            ids, inputs = torch.tensor([[sequence.computed[-1]]]), {}
            positions = prompt.position(prompt.tokens + len(sequence.computed) - 1)
        logits = self._model(
            input_ids=ids.to(self._device),
            position_ids=positions.to(self._device),
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
            **inputs,
        ).logits
        token: int = sampler.choose(logits[0, -1])
        return token

    def _placed(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor.to(self._device, self._dtype if tensor.is_floating_point() else None)
