"""What the engine shall reach (docs/benchmarks shows how far it is)."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Goal:
    """`ratio` is a key of the JSON; good is `at_least` or `at_most` so much."""

    ratio: str
    text: str
    at_least: float | None = None
    at_most: float | None = None

    def met(self, ratios: dict[str, Any]) -> bool | None:
        """Whether it is reached; None where it was not measured."""
        value = ratios[self.ratio]
        if value is None:
            return None
        return bool(value >= self.at_least if self.at_least is not None else value <= (self.at_most or 0))

    @property
    def wanted(self) -> str:
        """In words."""
        if self.ratio == "identity_fp32":
            return "100 %"
        return f"≥ {self.at_least:g} ×" if self.at_least is not None else f"≤ {self.at_most:g} ×"

    def shown(self, ratios: dict[str, Any]) -> str:
        """What was measured, in words."""
        value = ratios[self.ratio]
        if value is None:
            return "not measured"
        return f"{value:.0%}" if self.ratio == "identity_fp32" else f"{value:.2f} ×"


GOALS = (
    Goal("w_vs_sequential", "W, answers per second against generate, one by one", at_least=15),
    Goal("w_vs_static32", "W against generate over a static batch of 32", at_least=2.1),
    Goal("w_vs_openvino", "W against OpenVINO, continuous batching", at_least=1.3),
    Goal("w_vs_vllm", "W against vLLM, compiled", at_least=1.0),
    Goal("w_ttft_p50_vs_vllm", "W, time to the first token (p50) against vLLM", at_most=0.9),
    Goal("poisson_latency_p50_vs_vllm", "Poisson arrivals, latency (p50) against vLLM", at_most=1.0),
    Goal("m_turn6_ttft_vs_no_reuse", "M, time to the first token of the sixth turn against no reuse", at_most=0.10),
    Goal("memory_vs_vllm", "Peak memory against vLLM", at_most=0.35),
    Goal("identity_fp32", "Greedy answers in float32 equal to generate's, token by token", at_least=1.0),
)
