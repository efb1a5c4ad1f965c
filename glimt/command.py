"""What all commands share: errors told in a sentence, settings, logs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer

from core.errors import ConfigurationError, GlimtError, InferenceError, ModelLoadError
from core.settings import Settings, load_settings


@contextmanager
def explained() -> Iterator[None]:
    """Errors of ours become one sentence on stderr and exit status 1; an interrupted command ends with 130."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("\nInterrupted; everything is stopped.", err=True)
        raise typer.Exit(130) from None
    except GlimtError as error:
        typer.echo(f"glimt: {_sentence(error)}", err=True)
        raise typer.Exit(1) from None


def _sentence(error: GlimtError) -> str:
    """What went wrong. The detail of a failed answer is a few numbers, so it comes behind what the user is told."""
    detail = str(error)
    if isinstance(error, InferenceError) and not isinstance(error, ModelLoadError) and detail != error.user_message:
        return f"{error.user_message} ({detail})"
    return detail


@contextmanager
def installed(what: str, remedy: str) -> Iterator[None]:
    """Imports of a part that not every installation has."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ConfigurationError(f"This installation has no {what} ({error.name} is missing). {remedy}") from None


def run_command(action: Callable[[Settings], None], settings: Settings | None = None) -> None:
    """Do it with the settings of the environment, or with these, and logs on stderr."""
    from glimt.logs import set_up_logs

    with explained():
        settings = settings or load_settings()
        set_up_logs(settings)
        action(settings)
