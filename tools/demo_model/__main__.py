"""`python -m tools.demo_model train|export|eval|card|render`."""

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
    train.add_argument("--minutes", type=float, default=60, help="time for training on conversations")
    train.add_argument("--tower-minutes", type=float, default=12, help="time for the vision tower before that")
    train.add_argument("--device", default="cpu", help="cpu or cuda")
    train.add_argument("--compile", action="store_true", help="compile the common batch: about 20 %% faster")
    train.add_argument("--processes", type=int, default=1, help="share each batch between so many; 2 on two cores")
    train.add_argument("--batch", type=int, default=32, help="conversations a step")
    train.add_argument("--rate", type=float, default=2e-3, help="highest learning rate")
    train.add_argument(
        "--hold-tower", type=float, default=0.0, metavar="MINUTE", help="leave the vision tower as it is up to here"
    )
    train.add_argument("--start", type=Path, metavar="FOLDER", help="go on from the weights of an exported folder")
    train.add_argument("--seed", type=int, default=0, help="which conversations to train on")
    train.add_argument("--resume", action="store_true", help="go on from the run's checkpoint")

    export = commands.add_parser("export", help="write a run's model as a model folder")
    export.add_argument("--run", type=Path, required=True)
    export.add_argument("--to", type=Path, required=True)

    evaluate = commands.add_parser("eval", help="measure a model folder on unseen scenes")
    evaluate.add_argument("--model", type=Path, required=True)
    evaluate.add_argument("--scenes", type=int, default=2000)
    evaluate.add_argument("--seed", type=int, default=1)
    evaluate.add_argument("--batch", type=int, default=64)
    evaluate.add_argument("--json", type=Path, help="write the table here as JSON too")
    evaluate.add_argument("--mistakes", type=int, default=0, help="print this many wrong answers of each kind")

    card = commands.add_parser("card", help="write the model card from evaluation.json")
    card.add_argument("--model", type=Path, required=True)
    card.add_argument("--training", type=Path, required=True, help="a text file: how the model was trained")

    render = commands.add_parser("render", help="draw one scene for people to look at")
    render.add_argument("--seed", type=int, required=True)
    render.add_argument("--out", type=Path, required=True)
    render.add_argument("--size", type=int, default=480)

    options = vars(parser.parse_args())
    command = options.pop("command")
    # Imported late: each command loads only what it needs, and `--help` nothing at all.
    if command == "train":
        from .train import train as run_training

        run_training(options.pop("out"), options.pop("minutes"), **options)
    elif command == "export":
        from .export import export as run_export

        run_export(options["run"], options["to"])
    elif command == "eval":
        from .evaluate import evaluate as run_evaluation

        run_evaluation(**options)
    elif command == "card":
        from .card import write_card

        write_card(options["model"], options["training"].read_text(encoding="utf-8"))
    else:
        from .scenes import render as draw
        from .scenes import sample_scene
        from .wording import describe

        scene = sample_scene(random.Random(options["seed"]))
        draw(scene, options["size"], options["size"], supersample=4).save(options["out"])
        print(describe(scene))


if __name__ == "__main__":
    main()
