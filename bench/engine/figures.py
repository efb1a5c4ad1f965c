"""From what was seen to the figures of the JSON."""

import statistics
from collections.abc import Callable, Sequence
from typing import Any

from bench.engine.lineup import OPENVINO, OURS, SEQUENTIAL, STATIC, VLLM
from bench.engine.machine_floor import Rates, Work, floor_s
from bench.engine.rounds import BOTH, NOTHING, Measured, talk_name
from bench.engine.scale import Scale
from bench.engine.workload import Round

RATIOS = (
    "w_vs_sequential",
    "w_vs_static32",
    "w_vs_vllm",
    "w_vs_openvino",
    "w_ttft_p50_vs_vllm",
    "poisson_latency_p50_vs_vllm",
    "m_turn6_ttft_vs_no_reuse",
    "memory_vs_vllm",
    "identity_fp32",
)
Spread = dict[str, float] | None


def ratios(measured: Measured, peak_mb: dict[str, float], identity: tuple[int, int] | None) -> dict[str, Any]:
    """`ratios` with exactly the keys of `RATIOS`, None where a side is absent, and the `spread` over the rounds.

    Each is ours by the other's in the same round; of a speed more is better, of a time or of memory less.
    """
    w, poisson, talks = measured.w, measured.poisson, measured.talks

    def speed(other: str) -> Spread:
        return _spread(w.get(OURS, []), w.get(other, []), lambda round: round.answers_per_s)

    found: dict[str, Spread] = {
        "w_vs_sequential": speed(SEQUENTIAL),
        "w_vs_static32": speed(STATIC),
        "w_vs_vllm": speed(VLLM),
        "w_vs_openvino": speed(OPENVINO),
        "w_ttft_p50_vs_vllm": _spread(w.get(OURS, []), w.get(VLLM, []), lambda round: middle(firsts(round))),
        "poisson_latency_p50_vs_vllm": _spread(
            poisson.get(OURS, []), poisson.get(VLLM, []), lambda round: middle(latencies(round))
        ),
        "m_turn6_ttft_vs_no_reuse": _spread(
            talks.get(talk_name(OURS, BOTH), []), talks.get(talk_name(OURS, NOTHING), []), lambda talk: talk[-1].first_s
        ),
        "memory_vs_vllm": _spread(_one(peak_mb, OURS), _one(peak_mb, VLLM), float),
    }
    return {
        "ratios": {name: None if (of := found.get(name)) is None else of["median"] for name in RATIOS}
        | {"identity_fp32": None if identity is None else identity[0] / identity[1]},
        "spread": {name: spread for name, spread in found.items() if spread is not None},
    }


def sides(measured: Measured, floor: float | None, lineup_figures: dict[str, dict[str, float]]) -> dict[str, Any]:
    """What each side did, round by round. `floor`: the least seconds of a round of W."""
    result: dict[str, Any] = {}
    for side, rounds in measured.w.items():
        speeds = [round.answers_per_s for round in rounds]
        result[side] = {
            "w_answers_per_s": _rounded(speeds),
            "w_ttft_p50_s": _rounded(middle(firsts(round)) for round in rounds),
            "w_ttft_p95_s": _rounded(high(firsts(round)) for round in rounds),
            # How often as long as the machine would have to take.
            "distance_to_floor": None
            if floor is None
            else round(len(measured.w[OURS][0].answers) / middle(speeds) / floor, 2),
            "first_words_as_ours": _agreement(measured.w[OURS], rounds),
        }
    for side, rounds in measured.poisson.items():
        result.setdefault(side, {}).update(
            poisson_latency_p50_s=_rounded(middle(latencies(round)) for round in rounds),
            poisson_latency_p95_s=_rounded(high(latencies(round)) for round in rounds),
            poisson_ttft_p50_s=_rounded(middle(firsts(round)) for round in rounds),
        )
    for name, values in lineup_figures.items():
        for side, value in values.items():
            result.setdefault(side, {})[name] = round(value, 1)
    return result


def talk_figures(measured: Measured) -> dict[str, list[float]]:
    """Workload M: the time to the first token of each turn, in seconds, the median over rounds."""
    return {
        name: _rounded(middle([talk[turn].first_s for talk in talks]) for turn in range(len(talks[0])))
        for name, talks in measured.talks.items()
    }


def cache_figures(measured: Measured) -> dict[str, float | None]:
    """Shares of what our engine found again in the turns of M behind the first one."""
    seen = measured.counters

    def share(part: str, whole: str) -> float | None:
        return round(seen[part] / seen[whole], 3) if seen.get(whole) else None

    return {
        "picture_hit_rate": share("picture_hits", "picture_lookups"),
        "prefix_tokens_reused": share("prefix_tokens_reused", "prefix_tokens_asked"),
    }


def floor_figures(machine: dict[str, Any], scale: Scale) -> dict[str, float]:
    """The floor of W on this machine, with the rates it follows from."""
    work, rates = Work(**machine["work"]), Rates(**machine["rates"])
    seconds = floor_s(work, rates, scale.questions, scale.new_tokens)
    reading = floor_s(work, rates, scale.questions, 1)
    return {
        "w_s": seconds,
        "w_answers_per_s": scale.questions / seconds,
        "reading_prompts_s": reading,
        "decoding_s": seconds - reading,
        "read_gb_per_s": rates.bytes_per_s / 1e9,
        **{f"gemm_{dtype}_gflop_per_s": rate / 1e9 for dtype, rate in rates.flop_per_s.items()},
    }


def firsts(round: Round) -> list[float]:
    """Seconds from each question's arrival to the first token of its answer."""
    return [answer.first_s - at for answer, at in zip(round.answers, round.arrived_s, strict=True)]


def latencies(round: Round) -> list[float]:
    """Seconds from each question's arrival to the end of its answer."""
    return [answer.end_s - at for answer, at in zip(round.answers, round.arrived_s, strict=True)]


def middle(values: Sequence[float]) -> float:
    """The median."""
    return statistics.median(values)


def high(values: Sequence[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(values, n=20, method="inclusive")[18] if len(values) > 1 else values[0]


def _spread(ours: Sequence[Any], other: Sequence[Any], figure: Callable[[Any], float]) -> Spread:
    found = [figure(a) / figure(b) for a, b in zip(ours, other, strict=False)]
    if not found:
        return None
    return {"median": round(middle(found), 3), "least": round(min(found), 3), "most": round(max(found), 3)}


def _one(values: dict[str, float], side: str) -> list[float]:
    return [values[side]] if side in values else []


def _rounded(values: Any) -> list[float]:
    return [round(value, 4) for value in values]


def _agreement(ours: Sequence[Round], other: Sequence[Round]) -> float:
    """The share of answers that begin with the same word: that all sides compute the same model. In bfloat16 roundings
    decide between words that are nearly as good."""
    same = [
        a.text[:4] == b.text[:4]
        for mine, theirs in zip(ours, other, strict=False)
        for a, b in zip(mine.answers, theirs.answers, strict=False)
    ]
    return round(sum(same) / len(same), 3) if same else 0.0
