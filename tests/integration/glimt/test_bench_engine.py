"""`glimt bench engine` on a model small enough for a test."""

import json
from pathlib import Path

import pytest

from bench.engine.figures import RATIOS
from tests.integration.glimt.command import glimt


def test_it_prints_ratios_and_finds_the_tokens_of_generate(tmp_path: Path) -> None:
    page = tmp_path / "docs" / "page.html"
    words = ("--json", "--small", "--sides", "ours,sequential", "--html", str(page))
    measured = glimt(tmp_path, "bench", "engine", *words)
    assert measured.returncode == 0, measured.stderr
    result = json.loads(measured.stdout)
    ratios = result["ratios"]
    assert tuple(ratios) == RATIOS
    assert ratios["identity_fp32"] == 1.0
    assert all(ratios[name] > 0 for name in ("w_vs_sequential", "m_turn6_ttft_vs_no_reuse"))
    assert ratios["w_vs_vllm"] is None
    assert set(result["sides"]) == {"ours", "sequential"}
    ours = result["sides"]["ours"]
    assert ours["peak_mb"] > 50
    assert ours["distance_to_floor"] > 0
    assert result["caches"]["picture_hit_rate"] == 1.0
    assert 0.5 < result["caches"]["prefix_tokens_reused"] < 1
    # What was said before is not computed again.
    turns = result["growth"]["turns"]
    reused, alone = (turns[f"ours, {what} used again"]["2"] for what in ("everything", "nothing"))
    assert alone["computed_tokens"] == alone["prompt_tokens"] == reused["prompt_tokens"]
    assert reused["computed_tokens"] < 60
    assert 0 <= result["machine"]["busy_with_others_cores"] <= result["machine"]["cores"]
    assert (result["workload"]["prompt_tokens"], result["workload"]["picture_tokens"]) == (190, 144)
    assert "the engine, measured" in page.read_text()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--sides", "ours,sglang"), "glimt: --sides: sglang is unknown. There are: ours, sequential"),
        (("--sides", "vllm"), "glimt: --sides must name 'ours'"),
        (("--parts", "w,x"), "glimt: --parts: x is unknown."),
        (("--model", "nowhere"), "glimt: --model 'nowhere' is no folder."),
    ],
)
def test_what_cannot_be_measured_is_refused(tmp_path: Path, words: tuple[str, ...], says: str) -> None:
    refused = glimt(tmp_path, "bench", "engine", *words)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith(says)
