"""`glimt bench console`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from glimt.command import explained, installed, run_command


def add_bench_console(bench: typer.Typer) -> None:
    """Add the command to those that are there."""
    bench.command("console")(console)


def console(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    turns: Annotated[int, typer.Option(min=1000, help="Turns of the large databases.")] = 1_000_000,
    rounds: Annotated[int, typer.Option(min=1, help="How often every page is asked for.")] = 7,
    keep: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Leave the databases here (some 7 GB), and use them again.")
    ] = None,
    few: Annotated[bool, typer.Option(hidden=True)] = False,
) -> None:
    """The review console's pages over many turns against few, in SQLite and PostgreSQL, and what a page weighs.

    A year of an installation is made up from a seed first; with everything it takes some ten minutes.
    """
    with explained(), installed("measurements", "They run from a checkout of Glimt with everything installed."):
        from bench.console.run import run as measure

    run_command(lambda _: measure(turns=turns, rounds=rounds, keep=keep, as_json=as_json, out=sys.stdout, few=few))
