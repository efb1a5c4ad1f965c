"""A program: our engine on a GPU, with recorded steps and without, beside transformers' own `generate`.

`python -m bench.gpu --out FOLDER` writes gpu.json, after every part anew: device time is short, and what was measured
stays when a later part fails. `--device cpu --small` is a rehearsal.
"""

import argparse
import tempfile
from pathlib import Path

from bench.gpu_measure import Measurement
from bench.gpu_parts import Bench, attention


def main() -> None:
    """Run all parts."""
    parser = argparse.ArgumentParser(prog="python -m bench.gpu")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--budget", type=float, default=600.0, help="seconds after which no further part begins")
    asked = parser.parse_args()
    measure = Measurement(asked.device, asked.small, asked.out, asked.budget)
    # Memory, where there is such a folder.
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as folder:
        bench = Bench(measure, Path(folder))
        questions = bench.questions
        measure.part("model", bench.make)
        measure.part("load", bench.load)
        measure.part("w_graphs", lambda: bench.w(True, questions, 3))
        measure.part("reading", lambda: bench.reading(questions, detail=True))
        measure.part("w_eager", lambda: bench.w(False, questions, 2))
        for rows in (1, 2) if asked.small else (1, 32, 64):
            measure.part(f"steps_{rows}", lambda rows=rows: bench.steps(rows))  # type: ignore[misc]
        measure.part("m", bench.m)
        measure.part("where", lambda: bench.where(2 if asked.small else 32))
        measure.part("load_plain", bench.load_plain)
        measure.part("static", lambda: bench.plain(questions, questions, 2))
        measure.part("sequential", lambda: bench.plain(1, 2, 2))
        measure.part("recordings", bench.recordings)
        measure.part("growth", lambda: bench.growth(True))
        measure.part("variants", bench.variants)
        measure.part("attention", lambda: attention(measure))
        measure.part("close", lambda: bench.ours.close())


if __name__ == "__main__":
    main()
