"""Chooses the next token of one sequence from its logits."""

from collections.abc import Sequence

import torch

from core.inference.port import Sampling


class Sampler:
    """State of one request: its random numbers and the tokens that count for the repetition penalty.

    `suppressed`: ids that are never chosen, a 1-D tensor on the logits' device. `prompt`: ids of the prompt, 1-D.
    With a seed the choice depends on nothing but the logits; without one it is different each time.
    """

    def __init__(self, sampling: Sampling, prompt: torch.Tensor, suppressed: torch.Tensor) -> None:
        self._sampling = sampling
        self.suppressed = suppressed
        # On the CPU, so that one seed means one answer whatever the device.
        self._random = torch.Generator()
        if sampling.seed is None:
            self._random.seed()
        else:
            self._random.manual_seed(sampling.seed)
        self._seen = prompt.unique() if sampling.repetition_penalty != 1.0 else None

    @property
    def plain(self) -> bool:
        """Whether the largest score simply wins."""
        return self._sampling.temperature == 0 and self._seen is None

    def choose(self, logits: torch.Tensor) -> int:
        """The next id. `logits`: (vocabulary,), any float type; left as it is."""
        scores = logits.float()
        scores = scores.index_fill(0, self.suppressed.to(scores.device), float("-inf"))
        if self._seen is not None:
            scores = _penalised(scores, self._seen.to(scores.device), self._sampling.repetition_penalty)
        id = int(scores.argmax()) if self._sampling.temperature == 0 else self._draw(scores)
        if self._seen is not None:
            self._seen = torch.cat([self._seen, self._seen.new_tensor([id])]).unique()
        return id

    def _draw(self, scores: torch.Tensor) -> int:
        scores = scores / self._sampling.temperature
        if 0 < self._sampling.top_k < scores.numel():
            least = scores.topk(self._sampling.top_k).values[-1]
            scores = scores.masked_fill(scores < least, float("-inf"))
        chances = scores.softmax(0)
        if self._sampling.top_p < 1.0:
            chances = _nucleus(chances, self._sampling.top_p)
        return int(chances.cpu().multinomial(1, generator=self._random))


def choose_all(samplers: Sequence[Sampler], logits: torch.Tensor) -> list[int]:
    """The next id of each row of `logits`: (rows, vocabulary). Plain rows are decided together."""
    plain = [row for row, sampler in enumerate(samplers) if sampler.plain]
    ids = [0] * len(samplers)
    if plain:
        rows = logits if len(plain) == len(samplers) else logits[torch.tensor(plain, device=logits.device)]
        best = rows.float().index_fill(1, samplers[plain[0]].suppressed, float("-inf")).argmax(-1).tolist()
        for row, id in zip(plain, best, strict=True):
            ids[row] = id
    for row, sampler in enumerate(samplers):
        if not sampler.plain:
            ids[row] = sampler.choose(logits[row])
    return ids


def _penalised(scores: torch.Tensor, seen: torch.Tensor, penalty: float) -> torch.Tensor:
    """Scores of `seen` ids divided by `penalty` where positive, multiplied where negative (CTRL, arXiv:1909.05858)."""
    values = scores[seen]
    return scores.index_copy(0, seen, torch.where(values > 0, values / penalty, values * penalty))


def _nucleus(chances: torch.Tensor, top_p: float) -> torch.Tensor:
    """`chances` of the smallest set of ids that together reach `top_p`, at least one; the others 0."""
    ordered, ids = chances.sort(descending=True)
    # What comes before an id reaches top_p already: it is outside. The first is never outside.
    outside = ordered.cumsum(0) - ordered >= top_p
    outside[0] = False
    return chances.index_fill(0, ids[outside], 0.0)
