"""How much is measured."""

from dataclasses import dataclass

from bench.engine.workload import NEW_TOKENS, QUESTIONS, TURN_TOKENS, TURNS


@dataclass(frozen=True, slots=True)
class Scale:
    """Counts and lengths of everything that is asked; `rate` is questions a second of the Poisson workload, 0 for two
    or, where that is more, half of what our engine does at once. `floor_s`: seconds for each measurement of the
    machine."""

    rounds: int = 3
    rate: float = 0.0
    questions: int = QUESTIONS
    new_tokens: int = NEW_TOKENS
    sequential_questions: int = 4
    warm_ups: int = 4
    arrivals: int = 24
    poisson_rounds: int = 2
    turns: int = TURNS
    turn_tokens: int = TURN_TOKENS
    in_flight: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64)
    growth_turns: int = 32
    growth_turn_tokens: int = 16
    identity_questions: int = 4
    floor_s: float = 0.5


SMALL = Scale(
    rounds=1,
    rate=50.0,
    questions=3,
    new_tokens=4,
    sequential_questions=2,
    warm_ups=1,
    arrivals=3,
    poisson_rounds=1,
    turns=3,
    turn_tokens=3,
    in_flight=(1, 2),
    growth_turns=2,
    growth_turn_tokens=2,
    identity_questions=2,
    floor_s=0.01,
)
