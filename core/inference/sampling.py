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
        self._prompt = prompt
        # Which ids were there, once it is known how many there are.
        self._seen: torch.Tensor | None = None

    @property
    def plain(self) -> bool:
        """Whether the largest score simply wins."""
        return self._sampling.temperature == 0 and self._sampling.repetition_penalty == 1.0

    @property
    def knobs(self) -> tuple[float, int, float]:
        """Temperature, top_k and top_p."""
        return self._sampling.temperature, self._sampling.top_k, self._sampling.top_p

    def choose(self, logits: torch.Tensor) -> int:
        """The next id. `logits`: (vocabulary,), any float type; left as it is."""
        return choose_all([self], logits[None])[0]

    def penalised(self, scores: torch.Tensor) -> torch.Tensor:
        """`scores` (vocabulary,) with those of ids that were there divided by the penalty where positive, multiplied
        where negative (CTRL, arXiv:1909.05858)."""
        penalty = self._sampling.repetition_penalty
        if penalty == 1.0:
            return scores
        if self._seen is None:
            self._seen = torch.zeros(scores.shape, dtype=torch.bool, device=scores.device)
            self._seen[self._prompt.to(scores.device)] = True
        return torch.where(self._seen, torch.where(scores > 0, scores / penalty, scores * penalty), scores)

    def note(self, id: int) -> None:
        """`id` was chosen."""
        if self._seen is not None:
            self._seen[id] = True

    def random(self) -> float:
        """The next of its random numbers, from 0 to below 1."""
        return float(torch.rand((), dtype=torch.float64, generator=self._random))


def choose_all(samplers: Sequence[Sampler], logits: torch.Tensor) -> list[int]:
    """The next id of each row of `logits`: (rows, vocabulary). Rows with the same knobs are decided together, and the
    ids of all are read back from a device at once."""
    alike: dict[tuple[float, int, float] | None, list[int]] = {}
    for row, sampler in enumerate(samplers):
        alike.setdefault(None if sampler.plain else sampler.knobs, []).append(row)
    order, found = [], []
    for knobs, rows in alike.items():
        part = logits if len(rows) == len(samplers) else logits[torch.tensor(rows, device=logits.device)]
        suppressed = samplers[rows[0]].suppressed.to(part.device)
        scores = part.float().index_fill(1, suppressed, float("-inf"))
        order += rows
        if knobs is None:
            found.append(scores.argmax(-1))
        else:
            scores = torch.stack([samplers[row].penalised(one) for row, one in zip(rows, scores, strict=True)])
            found.append(_pick(scores, *knobs, [samplers[row].random() for row in rows]))
    ids = [0] * len(samplers)
    for row, id in zip(order, torch.cat(found).tolist(), strict=True):
        samplers[row].note(id)
        ids[row] = id
    return ids


def _pick(scores: torch.Tensor, temperature: float, top_k: int, top_p: float, random: list[float]) -> torch.Tensor:
    """(rows,) ids by `scores` (rows, vocabulary) and a random number for each row."""
    if temperature == 0:
        return scores.argmax(-1)
    scores = scores / temperature
    if 0 < top_k < scores.shape[1]:
        least = scores.topk(top_k).values[:, -1:]
        scores = scores.masked_fill(scores < least, float("-inf"))
    chances = scores.softmax(-1)
    if top_p < 1.0:
        chances = _nucleus(chances, top_p)
    # Apple's GPUs have no more.
    exact = torch.float32 if chances.device.type == "mps" else torch.float64
    sums = chances.cumsum(-1, dtype=exact)
    # A little less, so that rounding never leads behind the last id that has a chance.
    drawn = torch.tensor(random, dtype=exact, device=sums.device)[:, None] * (1 - 2**-20) * sums[:, -1:]
    return torch.searchsorted(sums, drawn, right=True)[:, 0]


def _nucleus(chances: torch.Tensor, top_p: float) -> torch.Tensor:
    """`chances` (rows, vocabulary) of the smallest set of ids that together reach `top_p`, at least one; others 0."""
    ordered, ids = chances.sort(descending=True)
    # What comes before an id reaches top_p already: it is outside. The first is never outside.
    outside = ordered.cumsum(-1) - ordered >= top_p
    outside[:, 0] = False
    return torch.zeros_like(chances).scatter(1, ids, ordered.masked_fill(outside, 0.0))
