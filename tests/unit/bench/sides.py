"""Sides of a measurement that compute nothing; run as a program with `do` among the options."""

import os
from collections.abc import Sequence
from typing import Any

from bench.engine.side import Arrivals, serve
from bench.engine.workload import Answer, Ask


class _Counting:
    """Answers with how many messages it was asked with, as soon as they arrive; `do` says what goes wrong."""

    def __init__(self, options: dict[str, Any]) -> None:
        if options["do"] == "not load":
            raise RuntimeError("no such weights")
        self._do = options["do"]

    def answer(self, asks: Sequence[Ask]) -> list[Answer]:
        print("a library that talks")
        if self._do == "die":
            os._exit(3)
        if self._do == "fail":
            raise ValueError("a bad picture")
        arrivals = Arrivals(asks)
        answers = {}
        while arrivals.left:
            arrivals.sleep()
            for number, ask in arrivals.take(1):
                answers[number] = Answer(arrivals.now_s, arrivals.now_s, ask.new_tokens, str(len(ask.messages)))
        return [answers[number] for number in range(len(asks))]

    def counters(self) -> dict[str, float]:
        return {"prefix_tokens_asked": 7}

    def close(self) -> None:
        print("closed")


if __name__ == "__main__":
    serve(_Counting)
