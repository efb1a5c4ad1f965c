"""The rounds of the workloads: all sides in turn, so that a noisy machine disturbs all alike."""

import statistics
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bench.engine.lineup import OPENVINO, OURS, SEQUENTIAL, SIDES, STATIC, VLLM, Lineup
from bench.engine.scale import Scale
from bench.engine.workload import Answer, Ask, Conversation, Pictures, Round, poisson, together

# A second question per second is the rate that engines are compared at; an engine that cannot keep up only queues.
POISSON_PER_S = 2.0
# Rounds of ours that differ by less are as warm as they get.
STEADY = 0.1
# What our engine may use again in workload M.
BOTH, PICTURES, NOTHING = "everything", "pictures", "nothing"


@dataclass(slots=True)
class Measured:
    """Everything that was seen, by side; conversations of our engine by what it used again."""

    w: dict[str, list[Round]] = field(default_factory=lambda: defaultdict(list))
    poisson: dict[str, list[Round]] = field(default_factory=lambda: defaultdict(list))
    rate: float = 0.0
    talks: dict[str, list[list[Answer]]] = field(default_factory=lambda: defaultdict(list))
    counters: dict[str, float] = field(default_factory=dict)
    in_flight: dict[str, dict[int, Round]] = field(default_factory=lambda: defaultdict(dict))
    turns: dict[str, dict[int, Answer]] = field(default_factory=lambda: defaultdict(dict))


class Rounds:
    """Runs parts of the measurement with `lineup` and collects what was seen in `measured`."""

    def __init__(self, lineup: Lineup, pictures: Pictures, scale: Scale, say: Callable[[str], None]) -> None:
        self._lineup = lineup
        self._pictures = pictures
        self._scale = scale
        self._say = say
        self.measured = Measured()

    def warm_up(self) -> None:
        """Once for each side; ours until it gets no faster, because it compiles while it already answers."""
        scale = self._scale
        for side in self._lineup.present(*SIDES):
            self._say(f"{side}: loading and warming up")
            count = scale.questions if side != SEQUENTIAL else 1
            seconds = [self._run(side, together(self._pictures, count, scale.new_tokens))]
            while side == OURS and len(seconds) < scale.warm_ups and not _steady(seconds):
                seconds.append(self._run(side, together(self._pictures, count, scale.new_tokens)))

    def w(self) -> None:
        """Workload W."""
        scale = self._scale
        for number in range(scale.rounds):
            asks = together(self._pictures, scale.questions, scale.new_tokens)
            for side in self._lineup.present(*SIDES):
                # Of one after the other so many are enough to know the speed.
                self._keep(self.measured.w, side, asks[: scale.sequential_questions] if side == SEQUENTIAL else asks)
            self._say(f"W, round {number + 1}: " + self._speeds())

    def poisson(self) -> None:
        """Open-loop arrivals, at a rate that our engine can bear."""
        scale, measured = self._scale, self.measured
        measured.rate = scale.rate or POISSON_PER_S
        if not scale.rate and measured.w[OURS]:
            measured.rate = min(
                measured.rate, round(statistics.median(r.answers_per_s for r in measured.w[OURS]) / 2, 2)
            )
        for number in range(scale.poisson_rounds):
            asks = poisson(self._pictures, scale.arrivals, scale.new_tokens, measured.rate, seed=number)
            # One after the other would only queue.
            for side in self._lineup.present(OURS, STATIC, VLLM, OPENVINO):
                self._keep(measured.poisson, side, asks)
            self._say(f"Poisson, {measured.rate} a second, round {number + 1}")

    def conversations(self) -> None:
        """Workload M; ours also without what it computed before, and with pictures alone."""
        scale, talks = self._scale, self.measured.talks
        for number in range(scale.rounds):
            for side in self._lineup.present(OURS, VLLM, OPENVINO):
                for reuse in (BOTH, PICTURES, NOTHING) if side == OURS else (BOTH,):
                    scope = f"talk {number}"
                    talk = self._talk(side, scale.turns, scale.turn_tokens, reuse, scope)
                    talks[talk_name(side, reuse)].append(talk)
            self._say(f"M, round {number + 1}")

    def growth(self) -> None:
        """More and more in flight, and longer and longer conversations."""
        scale, measured = self._scale, self.measured
        for side in self._lineup.present(OURS, VLLM, OPENVINO):
            for count in scale.in_flight:
                with self._lineup.using(side) as process:
                    round = process.run(together(self._pictures, count, scale.new_tokens))
                    measured.in_flight[side][count] = round
            self._say(f"growth, in flight: {side}")
        for side in self._lineup.present(OURS, VLLM, OPENVINO):
            talk = self._talk(side, scale.growth_turns, scale.growth_turn_tokens, BOTH, "growth")
            measured.turns[talk_name(side, BOTH)] = dict(enumerate(talk, 1))
            self._say(f"growth, turns: {side}")
        if self._lineup.present(OURS):
            self._growth_without_reuse()

    def _growth_without_reuse(self) -> None:
        """Every second power of two of the turns: each of them computes the whole conversation."""
        scale = self._scale
        conversation = Conversation(self._pictures.new())
        for answer in self.measured.turns[talk_name(OURS, BOTH)].values():
            conversation.answered(answer.text)
        for number, messages in enumerate(conversation.turns(), 1):
            # A power of two.
            if number & (number - 1) == 0 and number <= scale.growth_turns:
                with self._lineup.using(OURS) as process:
                    round = process.run([Ask(messages, scale.growth_turn_tokens)])
                    self.measured.turns[talk_name(OURS, NOTHING)][number] = round.answers[0]

    def _talk(self, side: str, turns: int, new_tokens: int, reuse: str, scope: str) -> list[Answer]:
        conversation = Conversation(self._pictures.new())
        answers: list[Answer] = []
        with self._lineup.using(side) as process:
            before: dict[str, float] = {}
            for number in range(turns):
                ask = conversation.ask(
                    new_tokens,
                    conversation=scope if reuse == BOTH else "",
                    pictures_of=f"{scope} {reuse}" if reuse != NOTHING else "",
                )
                round = process.run([ask])
                answers += round.answers
                conversation.answered(round.answers[0].text)
                before = before if number else round.counters
            if side == OURS:
                # Of the turns behind the first one, which cannot find anything. Where the prefix is known, so are the
                # pictures in it: nobody looks for them.
                counted = {BOTH: "prefix", PICTURES: "picture", NOTHING: "none"}[reuse]
                for name, value in round.counters.items():
                    if name.startswith(counted):
                        grown = self.measured.counters.get(name, 0.0) + value - before[name]
                        self.measured.counters[name] = grown
        return answers

    def _run(self, side: str, asks: list[Ask]) -> float:
        seconds = 0.0
        with self._lineup.using(side) as process:
            seconds = process.run(asks).seconds
        return seconds

    def _keep(self, where: dict[str, list[Round]], side: str, asks: list[Ask]) -> None:
        with self._lineup.using(side) as process:
            round = process.run(asks)
            _require_whole(side, asks, round)
            where[side].append(round)

    def _speeds(self) -> str:
        return ", ".join(f"{side} {rounds[-1].answers_per_s:.2f}/s" for side, rounds in self.measured.w.items())


def talk_name(side: str, reuse: str) -> str:
    """A conversation's name in the result."""
    return f"{side}, {reuse} used again" if side == OURS else side


def _steady(seconds: list[float]) -> bool:
    return len(seconds) > 1 and seconds[-1] > seconds[-2] * (1 - STEADY)


def _require_whole(side: str, asks: list[Ask], round: Round) -> None:
    """A side that says less than it was asked for would look fast."""
    for ask, answer in zip(asks, round.answers, strict=True):
        assert answer.tokens == ask.new_tokens, f"{side} made {answer.tokens} of {ask.new_tokens} tokens"


def as_measured(measured: Measured) -> dict[str, Any]:
    """The growth curves, as the JSON holds them."""
    return {
        "in_flight_s_per_answer": {
            side: {count: round_.seconds / count for count, round_ in rounds.items()}
            for side, rounds in measured.in_flight.items()
        },
        "turns": {
            name: {
                number: {
                    "ttft_s": answer.first_s,
                    "prompt_tokens": answer.prompt_tokens,
                    "computed_tokens": None
                    if answer.cached is None or answer.prompt_tokens is None
                    else answer.prompt_tokens - answer.cached,
                }
                for number, answer in answers.items()
            }
            for name, answers in measured.turns.items()
        },
    }
