"""The parts of the measurement on a GPU; `bench/gpu.py` runs them."""

import cProfile
import io
import pstats
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch._C._autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

from bench.engine.sides.ours import Ours
from bench.engine.sides.plain import Plain
from bench.engine.workload import SIDE, Ask, Conversation, Pictures, Round, first_question, picture_file, together
from bench.gpu_measure import Measurement
from bench.random_model import LARGE, SMALL, save_model
from core.inference.batch import BatchStepper
from core.inference.graphs import CudaRecorder, DecodeGraphs, Decoding
from core.inference.port import Message, Picture, Sampling
from core.inference.products import attend_rows
from core.inference.stepper import Sequence

NEW_TOKENS = 64


def summary(round_: Round) -> dict[str, float]:
    """A round in numbers."""
    firsts = sorted(answer.first_s for answer in round_.answers)
    ends = [answer.end_s for answer in round_.answers]
    return {
        "answers": len(round_.answers),
        "answers_per_s": round(round_.answers_per_s, 2),
        "tokens_per_s": round(sum(answer.tokens for answer in round_.answers) / round_.seconds, 1),
        "ttft_p50_ms": round(1000 * statistics.median(firsts), 1),
        "ttft_max_ms": round(1000 * firsts[-1], 1),
        "latency_p50_ms": round(1000 * statistics.median(ends), 1),
        "seconds": round(round_.seconds, 3),
    }


class Bench:
    """The parts, on one model that is loaded once for each side."""

    def __init__(self, measure: Measurement, folder: Path) -> None:
        self.measure = measure
        (folder / "pictures").mkdir()
        (folder / "model").mkdir()
        self._pictures = folder / "pictures"
        self.options: dict[str, Any] = {
            "env_file": None,
            "model": str(folder / "model"),
            "pictures": str(folder / "pictures"),
            "device": str(measure.device),
            "dtype": "bfloat16",
            "cache_mb": 64 if measure.small else 16_000,
            "most_at_once": 64,
            "threads": 1,
        }
        self.pictures = Pictures(folder / "pictures")
        self.questions, self.new_tokens = (4, 8) if measure.small else (32, NEW_TOKENS)

    def make(self) -> None:
        """Write the checkpoint."""
        shape = SMALL if self.measure.small else LARGE
        save_model(Path(self.options["model"]), shape, str(self.measure.device))
        if self.measure.device.type == "cuda":
            torch.cuda.empty_cache()

    def load(self) -> dict[str, Any]:
        """Our side."""
        began = time.perf_counter()
        self.ours = Ours(self.options)
        stepper = self.ours._stepper
        assert isinstance(stepper, BatchStepper)
        self.stepper = stepper
        self.graphs = stepper.forward.graphs
        return {"seconds": round(time.perf_counter() - began, 2), "slots": stepper.stats().kv_slots}

    @contextmanager
    def recorded(self, wanted: bool) -> Iterator[None]:
        """With or without recordings."""
        self.stepper.forward.graphs = self.graphs if wanted else None
        yield
        self.stepper.forward.graphs = self.graphs

    def run(self, side: Ours | Plain, asks: list[Ask]) -> Round:
        """One round."""
        began = time.perf_counter()
        answers = side.answer(asks)
        seconds = time.perf_counter() - began
        return Round(answers, [ask.at_s for ask in asks], seconds)

    def w(self, recorded: bool, questions: int, rounds: int) -> list[dict[str, float]]:
        """Workload W; the first round warms up."""
        with self.recorded(recorded):
            asks = [together(self.pictures, questions, self.new_tokens) for _ in range(rounds)]
            return [summary(self.run(self.ours, one)) for one in asks]

    def growth(self, recorded: bool) -> dict[int, dict[str, float]]:
        """Questions at once, second rounds."""
        counts = (1, 2) if self.measure.small else (1, 8, 64)
        return {count: self.w(recorded, count, 2)[-1] for count in counts}

    def m(self) -> dict[str, list[float]]:
        """Workload M: time to the first token of each turn in ms, with everything used again and with nothing."""
        found = {}
        for name in ("warm-up", "reuse", "nothing"):
            conversation = Conversation(self.pictures.new())
            firsts = []
            for _ in range(6):
                kept = "" if name == "nothing" else name
                ask = conversation.ask(min(32, self.new_tokens), conversation=kept, pictures_of=kept)
                (answer,) = self.run(self.ours, [ask]).answers
                conversation.answered(answer.text)
                firsts.append(round(1000 * answer.first_s, 1))
            found[name] = firsts
        return found

    def load_plain(self) -> None:
        """transformers' own `generate`."""
        self.other = Plain({**self.options, "batch": 1})

    def plain(self, batch: int, questions: int, rounds: int) -> list[dict[str, float]]:
        """Batches of `batch` questions."""
        self.other._batch = batch
        asks = [together(self.pictures, questions, self.new_tokens) for _ in range(rounds)]
        return [summary(self.run(self.other, one)) for one in asks]

    def sequences(self, count: int) -> list[Sequence]:
        """Questions of W, rendered."""
        render = self.ours._engine._renderer
        found = []
        for _ in range(count):
            say = first_question(self.pictures.new())
            assert say.picture is not None
            data = picture_file(self._pictures, say.picture).read_bytes()
            prompt = render([Message("user", say.text, (Picture(str(say.picture), data, SIDE, SIDE),))])
            found.append(Sequence(prompt, Sampling(), 300))
        return found

    def steps(self, rows: int) -> dict[str, float]:
        """Milliseconds of one step that decodes `rows` rows, and of the pieces before it."""
        stepper, times = self.stepper, 3 if self.measure.small else 20
        sequences = self.sequences(rows)
        for sequence in sequences:
            stepper.add(sequence)
        found: dict[str, float] = {}
        began, reading = time.perf_counter(), 0
        while not all(sequence.computed for sequence in sequences):
            list(stepper.step())
            reading += 1
        self.measure.synchronise()
        found["reading_ms"] = 1000 * (time.perf_counter() - began)
        found["reading_steps"] = reading
        for name in ("eager", "graph"):
            with self.recorded(name == "graph"):
                found[name + "_ms"] = 1000 * self.measure.seconds(lambda: list(stepper.step()), times)
        if self.graphs is not None and self.graphs._recordings:
            play = self.graphs._recordings[next(reversed(self.graphs._recordings))]
            found["graph_alone_ms"] = 1000 * self.measure.seconds(play, times)
        for sequence in sequences:
            stepper.remove(sequence)
        return {name: round(value, 3) for name, value in found.items()}

    def where(self, rows: int) -> dict[str, Any]:
        """Kernels of decode steps over `rows` rows: their time, and how many there are."""
        stepper = self.stepper
        sequences = self.sequences(rows)
        for sequence in sequences:
            stepper.add(sequence)
        while not all(sequence.computed for sequence in sequences):
            list(stepper.step())
        found: dict[str, Any] = {}
        kinds = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if self.measure.device.type == "cuda" else [])]
        for name in ("eager", "graph"):
            with self.recorded(name == "graph"):
                list(stepper.step())
                self.measure.synchronise()
                with profile(activities=kinds) as seen:
                    for _ in range(3):
                        list(stepper.step())
                    self.measure.synchronise()
            kernels = [event for event in seen.key_averages() if event.device_type == DeviceType.CUDA]
            kernels.sort(key=lambda event: -event.self_device_time_total)
            found[name] = {
                "kernels_ms": round(sum(e.self_device_time_total for e in kernels) / 3000, 3),
                "kernels": sum(e.count for e in kernels) // 3,
                "top": {e.key[:70]: [round(e.self_device_time_total / 3000, 3), e.count // 3] for e in kernels[:12]},
            }
        for sequence in sequences:
            stepper.remove(sequence)
        return found

    def recordings(self) -> dict[str, Any]:
        """What recordings there are, and what new ones cost."""
        if self.graphs is None:
            return {}
        stepper, graphs = self.stepper, self.graphs
        found = {"usable": graphs.usable, "played": graphs.played, "buckets": [list(b) for b in graphs._recordings]}
        fresh = DecodeGraphs(
            stepper.forward.decode_packed,
            stepper._slots,
            self.measure.device,
            most_rows=64,
            dimensions=4,
            record=CudaRecorder(self.measure.device),
        )
        costs = []
        with torch.inference_mode():
            for rows in (1, 2, 4, 8, 16, 32, 64, 64, 32):
                free, began = torch.cuda.mem_get_info()[0], time.perf_counter()
                fresh([Decoding(1, 200, 0)] * rows, [])
                self.measure.synchronise()
                spent = time.perf_counter() - began
                costs.append([rows, round(1000 * spent), round((free - torch.cuda.mem_get_info()[0]) / 2**20, 1)])
        found["rows, ms, MiB"] = costs
        found["memory_mib"] = {
            "allocated": torch.cuda.memory_allocated() >> 20,
            "peak": torch.cuda.max_memory_allocated() >> 20,
            "reserved": torch.cuda.memory_reserved() >> 20,
        }
        return found

    def reading(self, count: int, *, detail: bool = False) -> dict[str, Any]:
        """Milliseconds from `count` rendered questions to their first tokens, and where they go."""
        began = time.perf_counter()
        sequences = self.sequences(count)
        rendered = time.perf_counter() - began
        for sequence in sequences:
            self.stepper.add(sequence)
        calls = cProfile.Profile()
        steps: list[float] = []
        if detail:
            calls.enable()
        while not all(sequence.computed for sequence in sequences):
            began = time.perf_counter()
            list(self.stepper.step())
            steps.append(round(1000 * (time.perf_counter() - began), 1))
        calls.disable()
        for sequence in sequences:
            self.stepper.remove(sequence)
        found = {"render_each_ms": round(1000 * rendered / count, 2), "steps_ms": steps}
        if detail:
            text = io.StringIO()
            pstats.Stats(calls, stream=text).sort_stats("tottime").print_stats(30)
            found["calls"] = text.getvalue().splitlines()
        return found

    def variants(self) -> dict[str, Any]:
        """Reading 16 questions in other ways, the second time each."""
        found: dict[str, Any] = {}
        stepper, encoder = self.stepper, self.stepper.encoder
        chunk, together_ = stepper._chunk_tokens, encoder._together

        def read(name: str) -> None:
            self.reading(16)
            found[name] = self.reading(16)["steps_ms"]

        read("as it is")
        encoder._together = False
        read("pictures one by one")
        encoder._together = together_
        stepper._chunk_tokens = 512
        read("chunks of 512")
        stepper._chunk_tokens = chunk
        torch.backends.cuda.enable_cudnn_sdp(True)
        read("with cuDNN")
        torch.backends.cuda.enable_cudnn_sdp(False)
        return found


def attention(measure: Measurement) -> dict[str, Any]:
    """Microseconds of ways to compute what decoding rows look at, at the shapes of `LARGE`."""
    found: dict[str, Any] = {}
    groups, heads, width = LARGE.groups, LARGE.heads // LARGE.groups, LARGE.width // LARGE.heads
    for rows, length in ((2, 64),) if measure.small else ((1, 512), (1, 4096), (32, 256), (32, 2048)):
        kept = torch.randn(2, rows, groups, length, width, device=measure.device, dtype=torch.bfloat16)
        asked = torch.randn(rows, groups, heads, width, device=measure.device, dtype=torch.bfloat16)
        mask = torch.zeros(rows, 1, 1, length, device=measure.device, dtype=torch.bfloat16)
        ways: dict[str, Callable[[], object]] = {
            "sdpa_mask": lambda k=kept, a=asked, m=mask: F.scaled_dot_product_attention(a, k[0], k[1], attn_mask=m),  # type: ignore[misc]
            "sdpa_no_mask": lambda k=kept, a=asked: F.scaled_dot_product_attention(a, k[0], k[1]),  # type: ignore[misc]
            "products": lambda k=kept, a=asked, m=mask: attend_rows(a, k[0], k[1], m, 0.1),  # type: ignore[misc]
        }
        with torch.inference_mode():
            found[f"{rows}x{length}"] = {name: round(1e6 * measure.seconds(way, 50), 1) for name, way in ways.items()}
    return found
