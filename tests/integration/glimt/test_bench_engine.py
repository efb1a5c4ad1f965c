"""`glimt bench engine` on a model small enough for a test."""

import json
from pathlib import Path

from tests.integration.glimt.command import glimt


def test_it_prints_ratios_and_finds_the_tokens_of_generate(tmp_path: Path) -> None:
    measured = glimt(tmp_path, "bench", "engine", "--json", "--rounds", "1", "--small")
    assert measured.returncode == 0, measured.stderr
    result = json.loads(measured.stdout)
    ratios = result["ratios"]
    assert ratios["identity_fp32"] == 1.0
    assert all(ratios[name] > 0 for name in ("w_vs_sequential", "w_vs_static32", "m_turn6_ttft_vs_no_reuse"))
    assert ratios["w_vs_vllm"] is None
    assert set(result["answers_per_s"]) == {"engine", "sequential", "static32"}
