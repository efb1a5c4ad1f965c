"""`python -m tools.demo_model train|curve|export|exam|eval|check|questions|render`."""

from __future__ import annotations

import argparse
import random
from pathlib import Path


def main() -> None:
    """Parse the command line and run one command."""
    parser = argparse.ArgumentParser(prog="python -m tools.demo_model", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    train = commands.add_parser("train", help="train a model in a run folder")
    train.add_argument("--out", type=Path, required=True)
    train.add_argument("--minutes", type=float, default=600, help="time for training: hours on CPU, minutes on CUDA")
    train.add_argument("--device", default="cpu", help="cpu or cuda")
    train.add_argument("--compile", action="store_true", help="compile the layers first; needs a C++ compiler")
    train.add_argument("--batch", type=int, default=32, help="conversations a step, a multiple of 32; 256 on CUDA")
    train.add_argument("--rate", type=float, default=2e-3, help="highest learning rate")
    train.add_argument("--workers", type=int, default=1, help="processes that draw; one for each core on CUDA")
    train.add_argument("--slots", type=int, default=8, help="packs of 32 conversations that each draws ahead")
    train.add_argument("--save-every", type=float, default=3.0, metavar="MINUTES")
    train.add_argument("--exam", type=int, default=0, metavar="SCENES", help="ask about unseen scenes at each saving")
    train.add_argument("--start", type=Path, metavar="FOLDER", help="go on from another run or a model folder")
    train.add_argument(
        "--tower-rate", type=float, default=1.0, metavar="SHARE", help="of the rate, for the vision tower"
    )
    train.add_argument("--seed", type=int, default=0, help="which conversations to train on")
    train.add_argument("--resume", action="store_true", help="go on from the run's checkpoint")

    curve = commands.add_parser("curve", help="draw a run's curve")
    curve.add_argument("--run", type=Path, required=True)
    curve.add_argument("--to", type=Path, required=True)

    export = commands.add_parser("export", help="write a run's model as a model folder")
    export.add_argument("--run", type=Path, required=True)
    export.add_argument("--to", type=Path, required=True)

    exam = commands.add_parser("exam", help="examine a run as it was trained; minutes")
    exam.add_argument("--run", type=Path, required=True)
    exam.add_argument("--json", type=Path, required=True, help="write the tables here")
    exam.add_argument("--device", default="cpu", help="cpu or cuda")
    exam.add_argument("--scenes", type=int, default=5000)
    exam.add_argument("--robust", type=int, default=500, help="scenes under each condition")
    exam.add_argument("--seed", type=int, default=1)
    exam.add_argument("--workers", type=int, default=1, help="processes that share the scenes, each on one core")

    evaluate = commands.add_parser("eval", help="examine a model folder on unseen scenes")
    evaluate.add_argument("--model", type=Path, required=True)
    evaluate.add_argument("--scenes", type=int, default=5000)
    evaluate.add_argument("--robust", type=int, default=200, help="scenes under each condition: noise, blur, JPEG …")
    evaluate.add_argument("--seed", type=int, default=1)
    evaluate.add_argument(
        "--card", type=Path, metavar="TRAINING", help="write the card, with this text on the training"
    )
    evaluate.add_argument("--mistakes", type=int, default=0, help="print this many wrong answers of each kind")

    check = commands.add_parser("check", help="fail if the model got worse than its card says (as CI does)")
    check.add_argument("--model", type=Path, required=True)
    check.add_argument("--record", action="store_true", help="write the result into evaluation.json instead")

    questions = commands.add_parser("questions", help="write an exam as a file for `glimt eval`")
    questions.add_argument("--out", type=Path, required=True)
    questions.add_argument("--scenes", type=int, default=100)
    questions.add_argument("--seed", type=int, default=1)

    render = commands.add_parser("render", help="draw one scene for people to look at")
    render.add_argument("--kind", default="shapes")
    render.add_argument("--seed", type=int, required=True)
    render.add_argument("--out", type=Path, required=True)
    render.add_argument("--size", type=int, default=480)

    options = vars(parser.parse_args())
    command = options.pop("command")
    # Imported late: each command loads only what it needs, and `--help` nothing at all.
    if command == "train":
        from .train import train as run_training

        run_training(options.pop("out"), options.pop("minutes"), **options)
    elif command == "curve":
        from .curves import draw_curve

        draw_curve(options["run"] / "curve.jsonl", options["to"])
    elif command == "export":
        from .export import export as run_export

        run_export(options["run"], options["to"])
    elif command == "exam":
        from .run_exam import examine_run

        examine_run(**options)
    elif command == "eval":
        from .evaluate import evaluate as run_evaluation

        run_evaluation(**options)
    elif command == "check":
        from .check import check as run_check

        run_check(**options)
    elif command == "questions":
        from .questions import write_questions

        write_questions(**options)
    else:
        from .phrases import Phrases
        from .picture import draw
        from .scenes import sample

        scene = sample(options["kind"], random.Random(options["seed"]))
        draw(scene, (options["size"], options["size"])).image.save(options["out"])
        print(Phrases("en", random.Random(0), False).describe(scene))


if __name__ == "__main__":
    main()
