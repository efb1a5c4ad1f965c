"""`glimt retention …`."""

import json
from typing import Annotated, Any

import typer

from core.errors import ConfigurationError
from core.settings import Settings
from glimt.command import run_command

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def add_retention(app: typer.Typer) -> None:
    """Add these commands to those that are there."""
    retention = typer.Typer(
        help="What is removed by age. Rules are set in the console, under Retention.", no_args_is_help=True
    )
    app.add_typer(retention, name="retention")
    retention.command("list")(list_rules)
    retention.command("dry-run")(dry_run)
    retention.command("run")(run)


def list_rules(as_json: AsJson = False) -> None:
    """List the rules."""

    def show(settings: Settings) -> None:
        from glimt.retention import rules

        found = rules(settings)
        if as_json:
            typer.echo(json.dumps(found))
            return
        for rule in found["rules"]:
            kept = "for ever" if rule["days"] is None else f"{rule['days']} days"
            typer.echo(f"{rule['workspace']}\t{rule['what']}\t{kept}\tset by {rule['set_by']} {rule['set_at'][:10]}")
        if not found["rules"]:
            typer.echo("There is no rule: everything is kept for ever.", err=True)

    run_command(show)


def dry_run(
    what: Annotated[str, typer.Option(help="Try a rule about this: turns, pictures, thinking, files …")] = "",
    days: Annotated[int, typer.Option(min=0, help="… that keeps it so long …")] = 0,
    workspace: Annotated[str, typer.Option(help="… in this workspace: its id, as `list --json` shows it.")] = "",
    as_json: AsJson = False,
) -> None:
    """Count what a run would remove now, by the rules that there are, or by one that you try. Changes nothing."""

    def show(settings: Settings) -> None:
        from glimt.retention import figures

        if bool(what) != bool(days) or (workspace and not what):
            raise ConfigurationError("--what and --days belong together, and --workspace to both.")
        _tell(figures(settings, what, days, workspace), as_json, "Nothing would go.")

    run_command(show)


def run(as_json: AsJson = False) -> None:
    """Remove now what the rules say, in this process; workers do it once a day by themselves."""
    done: list[bool] = []

    def act(settings: Settings) -> None:
        from glimt.retention import run_once

        removed = run_once(settings)
        done.append(removed is not None)
        if removed is None:
            typer.echo("Another process is at it. `glimt retention list --json` shows how far it has come.", err=True)
            return
        _tell(removed, as_json, "Nothing had to go.")

    run_command(act)
    if not all(done):
        raise typer.Exit(1)


def _tell(figures: dict[str, dict[str, Any]], as_json: bool, nothing: str) -> None:
    if as_json:
        typer.echo(json.dumps(figures))
        return
    for what, counted in figures.items():
        more = [f"{counted[name]} {name}" for name in ("conversations", "pictures") if counted[name]]
        more += [f"{counted['byte_size']:,} bytes"] if counted["byte_size"] else []
        between = f"{(counted['oldest'] or '')[:10]} – {(counted['newest'] or '')[:10]}" if counted["oldest"] else ""
        typer.echo("\t".join([what, str(counted["rows"]), ", ".join(more), between]))
    if not figures:
        typer.echo(nothing, err=True)
