"""The floor: the least time that workload W can take on a machine.

Two rates bound any engine: products of matrices (FLOP/s, where many tokens share a weight) and reading weights from
memory (bytes/s, where few do). The floor is the time that these take alone: nothing else, and no waiting.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Work:
    """What one question of W costs: FLOP to read its prompt with the picture; `flop_token` and `weight_bytes` for each
    new token, `kv_bytes` for each token before it."""

    prompt_tokens: int
    picture_tokens: int
    flop_prompt: float
    flop_token: float
    weight_bytes: int
    kv_bytes: int


@dataclass(frozen=True, slots=True)
class Rates:
    """FLOP/s by number type, bytes/s, and the number type that is computed with."""

    flop_per_s: dict[str, float]
    bytes_per_s: float
    dtype: str


def floor_s(work: Work, rates: Rates, questions: int, new_tokens: int) -> float:
    """Seconds that `questions` at once take at least, all decoding together."""
    flop_per_s = rates.flop_per_s[rates.dtype]
    reading = questions * work.flop_prompt / flop_per_s
    # The first token comes with the prompt.
    steps = new_tokens - 1
    context = work.prompt_tokens + steps / 2
    step_bytes = work.weight_bytes + questions * context * work.kv_bytes
    step_flop = questions * work.flop_token
    return reading + steps * max(step_bytes / rates.bytes_per_s, step_flop / flop_per_s)
