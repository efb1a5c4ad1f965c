"""`glimt settings …`: what admins decide in the console, as a file."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from core.errors import ConfigurationError
from core.settings import Settings
from glimt.command import run_command

# What the history and the audit log call whoever is at the command line.
COMMAND_LINE = "command line"


def add_settings(app: typer.Typer) -> None:
    """Add these commands to those that are there."""
    settings = typer.Typer(help="What admins decide in the console.", no_args_is_help=True)
    app.add_typer(settings, name="settings")
    settings.command("show")(show)
    settings.command("export")(export)
    settings.command("import")(import_all)


def show() -> None:
    """List what is decided, one setting a line."""

    def run(settings: Settings) -> None:
        for path, value in _lines(_exported(settings)):
            typer.echo(f"{path}\t{value}")

    run_command(run)


def export() -> None:
    """Print everything that is decided as JSON, for `glimt settings import`."""
    run_command(lambda settings: typer.echo(json.dumps(_exported(settings), ensure_ascii=False, indent=2)))


def import_all(
    file: Annotated[Path, typer.Argument(help="What `glimt settings export` wrote; - reads standard input.")],
    comment: Annotated[str, typer.Option(help="Why, for the history.")] = "imported",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
) -> None:
    """Make what a file says count, all or nothing. What it does not name stays as it is."""

    def run(settings: Settings) -> None:
        from core.admins import Action
        from core.policy.changes import for_audit
        from core.policy.saving import Author
        from core.policy.transfer import import_policies, read_export
        from core.store.database import Store
        from core.store.migrate import upgrade

        named = read_export(_read(file))
        upgrade(settings.sql_url)
        store = Store(settings.sql_url)
        try:
            with store.write() as repositories:
                made = import_policies(repositories, named, Author(COMMAND_LINE), comment)
                for one, found in made:
                    detail = {"level": one.level.value, "workspace": one.workspace, "place": one.place}
                    repositories.audit.add(
                        Action.SETTINGS_CHANGED, admin_name=COMMAND_LINE, detail={**detail, "changed": for_audit(found)}
                    )
                    for change in found:
                        typer.echo(f"{one.path}: {change.field}")
                if dry_run:
                    repositories.session.rollback()
        finally:
            store.close()
        typer.echo(f"{len(made)} {'would be changed' if dry_run else 'changed'}", err=True)

    run_command(run)


def _read(file: Path) -> object:
    try:
        content: object = json.loads(sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{file} is no JSON: {error}.") from None
    return content


def _exported(settings: Settings) -> dict[str, object]:
    from core.policy.transfer import export_policies
    from core.store.database import Store
    from core.store.migrate import require_current

    require_current(settings.sql_url)
    store = Store(settings.sql_url)
    try:
        with store.read() as repositories:
            return export_policies(repositories)
    finally:
        store.close()


def _lines(value: object, path: str = "") -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [line for key, part in value.items() for line in _lines(part, f"{path} {key}".strip())]
    return [(path, json.dumps(value, ensure_ascii=False))]
