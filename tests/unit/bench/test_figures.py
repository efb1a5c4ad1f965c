"""From rounds to ratios, the floor, the page."""

from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import pytest

from bench.engine.figures import RATIOS, cache_figures, firsts, high, latencies, ratios, sides, talk_figures
from bench.engine.goals import GOALS
from bench.engine.lineup import OPENVINO, OURS, SEQUENTIAL, VLLM
from bench.engine.machine_floor import Rates, Work, floor_s
from bench.engine.page import render
from bench.engine.rounds import BOTH, NOTHING, Measured, as_measured, talk_name
from bench.engine.svg import Bar, Line, bars, lines
from bench.engine.workload import Answer, Pictures, Round, arrivals, picture_file, poisson, together


def answered(first_s: float, end_s: float, text: str = "AaNb") -> Answer:
    return Answer(first_s, end_s, 4, text, 190, 120)


def measured() -> Measured:
    seen = Measured(rate=2.0)
    seen.w[OURS] = [Round([answered(1, 2), answered(1, 2)], [0, 0], seconds) for seconds in (2.0, 4.0, 2.0)]
    seen.w[SEQUENTIAL] = [Round([answered(2, 4)], [0], 4.0)] * 3
    seen.w[VLLM] = [Round([answered(2, 3), answered(2, 3, "CcNb")], [0, 0], 1.0)] * 3
    seen.poisson[OURS] = [Round([answered(1, 2), answered(6, 8)], [0, 5], 8.0)]
    seen.poisson[VLLM] = [Round([answered(1, 6), answered(6, 10)], [0, 5], 10.0)]
    seen.talks[talk_name(OURS, BOTH)] = [[answered(0.5, 1), answered(0.1, 1)]]
    seen.talks[talk_name(OURS, NOTHING)] = [[answered(0.5, 1), answered(0.8, 1)]]
    seen.counters = {"picture_hits": 5, "picture_lookups": 5, "prefix_tokens_reused": 3, "prefix_tokens_asked": 4}
    seen.in_flight[OURS] = {1: Round([answered(1, 2)], [0], 1.0), 2: Round([answered(1, 2)] * 2, [0, 0], 1.0)}
    seen.turns[talk_name(OURS, BOTH)] = {1: answered(0.5, 1), 2: answered(0.1, 1)}
    return seen


def result() -> dict[str, Any]:
    """As `glimt bench engine` makes it, with a peer absent and a text that no page must take for a tag."""
    seen = measured()
    peaks = {OURS: 900.0, VLLM: 3000.0}
    return {
        **ratios(seen, peaks, (10, 10)),
        "sides": sides(seen, 0.5, {"peak_mb": peaks, "loaded_s": {OURS: 1.5}}),
        "absent": {OPENVINO: "optimum-intel cannot convert <this>"},
        "m_ttft_s": talk_figures(seen),
        "caches": cache_figures(seen),
        "floor": {"w_answers_per_s": 9.7, "reading_prompts_s": 1.0, "decoding_s": 2.0, "read_gb_per_s": 20.0},
        "growth": as_measured(seen),
        "workload": {
            "questions": 2, "prompt_tokens": 190, "picture_tokens": 144, "new_tokens": 4, "turns": 2,
            "poisson_per_s": 2.0, "cache_mb": 1024,
        },
        "machine": {
            "instructions": ["AMX"], "device": "cpu", "processor": "A & B", "cores": 2, "load_before": 0.1, "gpu": None,
            "busy_with_others_cores": 1.2, "disturbed": True,
            "parameters": 233e6, "model_type": "qwen2_vl", "dtype": "bfloat16", "threads": 2, "torch": "2",
        },
        "date": "2026-11-25",
        "command": "glimt bench engine --json",
    }  # fmt: skip


def test_ratios_are_of_the_same_round_and_null_where_a_peer_is_absent() -> None:
    found = ratios(measured(), {OURS: 900.0, VLLM: 3000.0}, (9, 10))
    assert tuple(found["ratios"]) == RATIOS
    assert found["ratios"] == {
        "w_vs_sequential": 4.0,
        "w_vs_static32": None,
        "w_vs_vllm": 0.5,
        "w_vs_openvino": None,
        "w_ttft_p50_vs_vllm": 0.5,
        "poisson_latency_p50_vs_vllm": pytest.approx(2.5 / 5.5, abs=1e-3),
        "m_turn6_ttft_vs_no_reuse": 0.125,
        "memory_vs_vllm": 0.3,
        "identity_fp32": 0.9,
    }
    assert found["spread"]["w_vs_sequential"] == {"median": 4.0, "least": 2.0, "most": 4.0}


def test_nothing_measured_is_null() -> None:
    assert set(ratios(Measured(), {}, None)["ratios"].values()) == {None}


def test_each_side_has_its_distance_to_the_floor_and_its_agreement_with_ours() -> None:
    found = sides(measured(), 0.5, {"peak_mb": {OURS: 900.04}})
    # Two questions at one a second take two seconds: four times the floor.
    assert found[OURS]["distance_to_floor"] == 4.0
    # Of one after the other a part is measured, and counted as if it were all of W.
    assert found[SEQUENTIAL]["distance_to_floor"] == 16.0
    assert (found[OURS]["first_words_as_ours"], found[VLLM]["first_words_as_ours"]) == (1.0, 0.5)
    assert found[OURS]["peak_mb"] == 900.0
    assert found[OURS]["poisson_latency_p50_s"] == [2.5]


def test_waiting_counts_from_the_arrival() -> None:
    round = Round([answered(1, 2), answered(6, 8)], [0, 5], 8.0)
    assert (firsts(round), latencies(round)) == ([1, 1], [2, 3])
    assert high([3.0]) == 3.0
    assert high([float(n) for n in range(21)]) == 19.0


def test_the_floor_reads_prompts_by_products_and_decodes_by_what_takes_longer() -> None:
    work = Work(100, 60, flop_prompt=1e9, flop_token=1e6, weight_bytes=10**6, kv_bytes=100)
    slow_memory = Rates({"float32": 1e9}, 1e6, "float32")
    # Four prompts; then one step, which reads the weights and 4 x 100.5 tokens.
    assert floor_s(work, slow_memory, 4, 1) == pytest.approx(4.0)
    assert floor_s(work, slow_memory, 4, 2) == pytest.approx(4 + (10**6 + 4 * 100.5 * 100) / 1e6)
    slow_products = Rates({"float32": 1e6}, 1e12, "float32")
    assert floor_s(work, slow_products, 4, 2) - floor_s(work, slow_products, 4, 1) == pytest.approx(4.0)


def test_arrivals_are_the_same_for_a_seed_and_as_many_as_asked_for() -> None:
    times = arrivals(2000, 2.0, seed=1)
    assert times == arrivals(2000, 2.0, seed=1)
    assert times != arrivals(2000, 2.0, seed=2)
    assert (len(times), times[0]) == (2000, 0)
    assert times == sorted(times)
    waits = [b - a for a, b in pairwise(times)]
    # Of an exponential distribution the mean is the deviation.
    assert mean(waits) == pytest.approx(0.5, rel=0.1)
    assert stdev(waits) == pytest.approx(0.5, rel=0.1)


def test_no_picture_is_asked_about_twice(tmp_path: Path) -> None:
    pictures = Pictures(tmp_path)
    asks = [*together(pictures, 2, 4), *poisson(pictures, 1, 4, 2.0, seed=0)]
    files = [picture_file(tmp_path, ask.messages[0].picture or 0) for ask in asks]
    assert len({file.read_bytes() for file in files}) == 3


class _Page(HTMLParser):
    """Its text, the addresses it names, and whether every tag is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""
        self.addresses: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "meta":
            self.open.append(tag)
        self.addresses += [str(value) for name, value in attrs if name in ("src", "href", "srcset")]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_shows_goals_plots_and_what_is_missing_and_fetches_nothing() -> None:
    html = render(result())
    page = _Page(html)
    assert page.open == []
    assert page.addresses == []
    for goal in GOALS:
        assert goal.text in page.text
    for expected in ("0.50 ×", "✗ missed", "✓ reached", "not measured", "cannot convert <this>", "A & B", "2026-11-25"):
        assert expected in page.text
    assert "floor of this machine" in page.text
    assert html.count("<svg") >= 8
    assert "@media (prefers-color-scheme: dark)" in html


def test_a_page_of_a_busy_machine_says_so() -> None:
    said = "The machine was not quiet."
    assert said in render(result())
    quiet = result()
    quiet["machine"] |= {"disturbed": False}
    assert said not in render(quiet)


def test_a_page_of_few_parts_is_a_page() -> None:
    nothing = {"sides": {}, "m_ttft_s": {}, "growth": as_measured(Measured()), **ratios(Measured(), {}, None)}
    page = _Page(render(result() | nothing))
    assert page.text.count("not measured") == len(GOALS)


def test_plots_end_behind_their_largest_value() -> None:
    assert ">10<" in bars("speed", "answers/s", [Bar("a", 7.3, 0, 7.0, 9.9)])
    assert ">400<" in bars("speed", "answers/s", [Bar("a", 0.0, 0)], marks={"floor": 321.0})
    plot = lines("growth", "in flight", "seconds", [Line("a", [(1, 0.5), (2, 0.25), (64, 0.1)], 0)], log_x=True)
    assert plot.count("<circle") == 3
    assert ">0.6<" in plot
    assert "<circle" in lines("one", "turn", "s", [Line("a", [(1, 0.0)], 0)])
