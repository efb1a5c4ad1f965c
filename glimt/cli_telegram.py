"""`glimt bench telegram`."""

import sys
from typing import Annotated

import typer

from glimt.command import explained, installed, run_command


def add_telegram(bench: typer.Typer) -> None:
    """Add these commands to those that are there."""
    bench.command("telegram")(load)


def load(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    chats: Annotated[int, typer.Option(min=1, help="How many ask at once; every tenth is a group.")] = 1_000,
    seconds: Annotated[float, typer.Option(min=1.0, help="How long they go on asking.")] = 60.0,
) -> None:
    """Many Telegram chats that ask at once, against Telegram's real limits: none may be broken, no answer lost."""
    with explained(), installed("measurements", "They run from a checkout of Glimt with everything installed."):
        from bench.telegram_load import run as measure

    sound: list[bool] = []
    run_command(
        lambda settings: sound.append(measure(settings, chats=chats, seconds=seconds, as_json=as_json, out=sys.stdout))
    )
    if not all(sound):
        raise typer.Exit(1)
