"""`glimt console` and `glimt admins …`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from core.admins import Role
from core.errors import ConfigurationError
from core.settings import Settings
from glimt.command import explained, installed, run_command

Name = Annotated[str, typer.Argument(help="Which admin.")]


def add_console(app: typer.Typer) -> None:
    """Add these commands to those that are there."""
    admins = typer.Typer(help="Who may sign in to the review console.", no_args_is_help=True)
    app.command("console")(console)
    app.add_typer(admins, name="admins")
    admins.command("create")(create)
    admins.command("list")(list_all)
    admins.command("link")(link)
    admins.command("password")(password)
    admins.command("disable")(disable)
    admins.command("enable")(enable)


@contextmanager
def _console_installed() -> Iterator[None]:
    with installed("review console", "Install it: pip install 'glimt[console]'"):
        yield


def console() -> None:
    """The review console, as a process of its own."""
    with explained(), _console_installed():
        from admin.app import run_console

    run_command(run_console)


def create(
    name: Annotated[str, typer.Option(help="What the admin is called, and signs in as.")],
    role: Annotated[Role, typer.Option(help="What he may do.")] = Role.OWNER,
    email: Annotated[str, typer.Option(help="Lets him in over the OpenID Connect provider.")] = "",
    everywhere: Annotated[
        bool, typer.Option("--everywhere", help="May read every workspace; owners always may.")
    ] = False,
    no_password: Annotated[bool, typer.Option("--no-password", help="Only by the provider, or by a link.")] = False,
) -> None:
    """Add an admin. The password is asked for, or read from the first line of standard input.

    What others than owners may read is chosen in the console, under Admins.
    """
    with explained(), _console_installed():
        from admin.manage import create_admin

    def run(settings: Settings) -> None:
        from core.store.migrate import upgrade

        upgrade(settings.sql_url)
        secret = "" if no_password else _ask_password()
        create_admin(settings, name, role, email=email, everywhere=everywhere, password=secret)
        typer.echo(f"{name} may sign in as {role}.", err=True)

    run_command(run)


def list_all() -> None:
    """List the admins by name."""
    with explained(), _console_installed():
        from admin.manage import list_admins

    def run(settings: Settings) -> None:
        for admin in list_admins(settings):
            state = "disabled" if admin.disabled_at else "active"
            used = f"{admin.signed_in_at:%Y-%m-%d %H:%M}" if admin.signed_in_at else "never"
            typer.echo(f"{admin.name}\t{admin.role}\t{state}\t{admin.email or '-'}\tlast signed in {used}")

    run_command(run)


def link(name: Name) -> None:
    """Print a link that signs an admin in, once, within an hour."""
    with explained(), _console_installed():
        from admin.manage import console_url, make_link

    run_command(lambda settings: typer.echo(make_link(settings, name, console_url(settings))))


def password(name: Name) -> None:
    """Set an admin's password and end his sessions."""
    with explained(), _console_installed():
        from admin.manage import set_password

    run_command(lambda settings: set_password(settings, name, _ask_password()))


def disable(name: Name) -> None:
    """Let an admin in no more, and end his sessions."""
    with explained(), _console_installed():
        from admin.manage import set_enabled

    run_command(lambda settings: set_enabled(settings, name, enabled=False))


def enable(name: Name) -> None:
    """Let an admin in again."""
    with explained(), _console_installed():
        from admin.manage import set_enabled

    run_command(lambda settings: set_enabled(settings, name, enabled=True))


def _ask_password() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise ConfigurationError("There is no password on standard input. --no-password makes an admin without one.")
    return line
