"""`glimt slack …`, `glimt bench slack` and `glimt bench slack-forged`."""

import json
import sys
from enum import StrEnum
from typing import Annotated

import typer

from core.settings import load_settings
from glimt.command import explained, installed, run_command


class Language(StrEnum):
    """Languages that people are addressed in."""

    EN = "en"
    ZH = "zh"


class Transport(StrEnum):
    """How Slack's events come."""

    SOCKET = "socket"
    HTTP = "http"


def add_slack(app: typer.Typer, bench: typer.Typer) -> None:
    """Add these commands to those that are there."""
    slack = typer.Typer(help="The Slack app.", no_args_is_help=True)
    slack.callback()(lambda: None)  # With one command alone typer would leave its name out.
    slack.command("manifest")(manifest)
    app.add_typer(slack, name="slack")
    bench.command("slack")(load)
    bench.command("slack-forged")(forged)


def manifest(
    name: Annotated[str, typer.Option(help="What the app and its bot are called.")] = "Glimt",
    language: Annotated[Language, typer.Option(help="Of descriptions, prompts and shortcut.")] = Language.EN,
    transport: Annotated[
        Transport, typer.Option(help="socket: no public address needed; http: Slack posts to --url.")
    ] = Transport.SOCKET,
    url: Annotated[str, typer.Option(help="The https address of this installation; else GLIMT_PUBLIC_URL.")] = "",
    many: Annotated[
        bool, typer.Option("--many", help="Many workspaces install it by OAuth; needs an address.")
    ] = False,
) -> None:
    """Print the app manifest, as JSON, for api.slack.com/apps, "Create New App", "From a manifest"."""
    with explained():
        with installed("bots", "Install them: pip install 'glimt[slack]'"):
            from bots.slack.manifest import build_manifest
        if not url and (many or transport is Transport.HTTP):
            url = load_settings().public_url
        built = build_manifest(name=name, language=language.value, transport=transport.value, url=url, many=many)
        typer.echo(json.dumps(built, indent=2, ensure_ascii=False))


def load(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    seconds: Annotated[float, typer.Option(min=1, help="How long messages come.")] = 60,
    rate: Annotated[float, typer.Option(min=1, help="Messages a second.")] = 100,
    mode: Annotated[Transport, typer.Option(help="How Slack's events come.")] = Transport.SOCKET,
    database: Annotated[
        str, typer.Option(metavar="URL", help="An empty PostgreSQL database to measure on instead of SQLite.")
    ] = "",
) -> None:
    """How soon Slack is told that a message is safe, at a steady rate; nothing may be late, lost or doubled.

    A fake Slack, a worker with a scripted engine and a bots process, with a database and a Redis of their own.
    """
    with explained(), installed("measurements", "They run from a checkout of Glimt with everything installed."):
        from bench.slack import run as measure

    run_command(
        lambda _: measure(
            rate=rate, seconds=seconds, mode=mode.value, sql_url=database, as_json=as_json, out=sys.stdout
        )
    )


def forged(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    requests: Annotated[int, typer.Option(min=1, help="How many are forged.")] = 10_000,
) -> None:
    """Forged, tampered and late requests to Slack's address in HTTP mode: none may be taken or logged."""
    with explained(), installed("measurements", "They run from a checkout of Glimt with everything installed."):
        from bench.slack_forged import run as measure

    run_command(lambda settings: measure(settings, requests=requests, as_json=as_json, out=sys.stdout))
