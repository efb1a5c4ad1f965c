"""`glimt usage` and `glimt numbers …`."""

import sys
from datetime import date, datetime, timedelta
from typing import Annotated

import typer

from core.settings import Settings
from glimt.command import run_command

# As the console shows them, unless told otherwise.
DAYS = 30
_DAY = ["%Y-%m-%d"]


def add_numbers(app: typer.Typer) -> None:
    """Add these commands to those that are there."""
    numbers = typer.Typer(help="The numbers of the console's overview.", no_args_is_help=True)
    app.command("usage")(usage)
    app.add_typer(numbers, name="numbers")
    numbers.command("rebuild")(rebuild)


def usage(
    since: Annotated[
        datetime | None, typer.Option(formats=_DAY, help="The first day; left out: 30 days with the last one.")
    ] = None,
    until: Annotated[datetime | None, typer.Option(formats=_DAY, help="The last day; left out: today.")] = None,
    bom: Annotated[bool, typer.Option("--bom", help="Begin the file as Excel wants UTF-8 to begin.")] = False,
) -> None:
    """Write what was asked and what it cost to standard output: CSV, a line for each day, place, person and model."""

    def run(settings: Settings) -> None:
        from core.admins import Action
        from core.days import day_of
        from core.store.database import Store
        from core.store.migrate import require_current
        from core.store.numbers.wanted import WantedNumbers
        from core.store.review.scope import EVERYTHING
        from core.usage_csv import usage_csv
        from core.values import utc_now

        require_current(settings.sql_url)
        store = Store(settings.sql_url)
        last = until.date() if until is not None else day_of(utc_now(), settings.zone)
        first = since.date() if since is not None else last - timedelta(days=DAYS - 1)
        _check(first, last)
        with store.write() as repositories:
            said = {"asked": {"since": first.isoformat(), "until": last.isoformat()}, "how": "glimt usage"}
            repositories.audit.add(Action.EXPORTED_USAGE, detail=said)
        for piece in usage_csv(store, EVERYTHING, WantedNumbers(first, last), settings.zone, bom=bom):
            # Past the terminal's own ends of lines and its character set.
            sys.stdout.buffer.write(piece.encode("utf-8", "replace"))

    run_command(run)


def rebuild() -> None:
    """Count every day that is over anew. What is left of erased questions stays."""

    def run(settings: Settings) -> None:
        from core.store.database import Store
        from core.store.migrate import require_current
        from core.store.numbers.roll import count_all_again
        from core.values import utc_now

        require_current(settings.sql_url)
        days = count_all_again(Store(settings.sql_url), settings.zone, utc_now())
        typer.echo(f"{days} {'day' if days == 1 else 'days'} counted")

    run_command(run)


def _check(first: date, last: date) -> None:
    from core.errors import WrongParameter

    if first > last:
        raise WrongParameter("since", f"The first day, {first}, is behind the last one, {last}.")
