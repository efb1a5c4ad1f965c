"""`glimt eval`, a command of its own file."""

from pathlib import Path
from typing import Annotated

import typer

from glimt.command import run_command


def add_eval(app: typer.Typer) -> None:
    """Add the command to `app`."""

    @app.command("eval")
    def evaluate(
        data: Annotated[Path, typer.Argument(help="JSONL: picture, question, answers (and kind) on each line.")],
        model: Annotated[
            list[str] | None, typer.Option(help="A preset, folder or hub name; give several to compare.")
        ] = None,
        at_once: Annotated[int, typer.Option(min=1, help="Questions that a model answers at a time.")] = 8,
        limit: Annotated[int, typer.Option(min=0, help="Only so many questions; 0: all.")] = 0,
        as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list instead of a table.")] = False,
        html: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write a page with the failures.")] = None,
    ) -> None:
        """Measure models on your own questions: exact match and ANLS beside speed and memory.

        Each model runs in a process of its own, greedily, with the settings of this installation.
        """
        from glimt.evaluation.run import evaluate as run

        run_command(
            lambda settings: run(
                data,
                model or [settings.model],
                at_once=at_once,
                limit=limit,
                as_json=as_json,
                html=html,
                say=typer.echo,
            )
        )
