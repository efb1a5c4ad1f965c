"""`glimt export …`."""

import os
import sys
from typing import Annotated

import typer

from glimt.command import explained, installed, run_command

# Whole, but pictures are missing.
INCOMPLETE = 3


def add_export(app: typer.Typer) -> None:
    """Add these commands to those that are there."""
    export = typer.Typer(help="Take conversations out, for training or for the person whose they are.")
    export.callback(invoke_without_command=True)(conversations)
    export.command("person")(person)
    app.add_typer(export, name="export")


def conversations(
    context: typer.Context,
    out: Annotated[
        str,
        typer.Option(metavar="PATH", help="A new folder; or a file that ends in .zip or .jsonl; - is stdout (JSONL)."),
    ] = "",
    like: Annotated[
        str, typer.Option(metavar="ADDRESS", help="The address of the console's list: exports what it shows.")
    ] = "",
    q: Annotated[str, typer.Option(help="Words of a question or an answer.")] = "",
    platform: Annotated[str, typer.Option(help="web, api, slack or telegram.")] = "",
    workspace: Annotated[str, typer.Option(help="Name, the platform's id, or ours.")] = "",
    place: Annotated[str, typer.Option(help="The platform's id of a channel or chat, or ours.")] = "",
    person: Annotated[str, typer.Option(help="The platform's id, or a part of a name.")] = "",
    model: Annotated[str, typer.Option(help="That answered.")] = "",
    state: Annotated[str, typer.Option(help="open, answered, failed, cancelled or handed_over.")] = "",
    feedback: Annotated[str, typer.Option(help="good or bad.")] = "",
    label: Annotated[str, typer.Option(help="Name of a label.")] = "",
    review: Annotated[str, typer.Option(help="new, in_review or done.")] = "",
    since: Annotated[str, typer.Option(metavar="DAY", help="Changed from this day on, as in 2026-11-26.")] = "",
    until: Annotated[str, typer.Option(metavar="DAY", help="Changed up to the end of this day.")] = "",
    kind: Annotated[str, typer.Option(help="chat; pairs (corrected and original, DPO); ratings (KTO).")] = "chat",
    shape: Annotated[
        str, typer.Option(help="parts (TRL), tags (LLaMA-Factory, ms-swift), inline (axolotl, transformers).")
    ] = "parts",
    answers: Annotated[
        str, typer.Option(help="corrected or original, where a reviewer has corrected one.")
    ] = "corrected",
    pictures: Annotated[
        str, typer.Option(help="files, data-urls or none. Left out: files, but none with --redact or for JSONL.")
    ] = "",
    good: Annotated[
        bool, typer.Option("--good", help="Only up to the last answer called good, without bad ones.")
    ] = False,
    redact: Annotated[
        list[str] | None, typer.Option(help="email, phone, card, iban, id, name, or all. Pictures stay as they are.")
    ] = None,
    name: Annotated[list[str] | None, typer.Option(help="A further name to take out, with --redact name.")] = None,
) -> None:
    """Export conversations as JSONL in the chat format, oldest first.

    Exit status: 0, or 3 if pictures were gone or damaged; 1 if it is not whole. A folder or file has its name only when
    it is whole; what broke off is written anew.
    """
    if context.invoked_subcommand is not None:
        return
    if not out:
        typer.echo(context.get_help())
        raise typer.Exit(2)
    with explained(), installed("export", "Install it: pip install 'glimt[console]'"):
        from glimt.export import Asked, export_conversations, filters_of_address
    given = {"q": q, "platform": platform, "workspace": workspace, "place": place, "person": person, "model": model}
    given |= {"state": state, "feedback": feedback, "label": label, "review": review, "since": since, "until": until}
    filters = (filters_of_address(like) if like else {}) | {word: value for word, value in given.items() if value}
    words = {"kind": kind, "shape": shape, "answers": answers, "images": pictures, "good": "1" if good else ""}
    asked = Asked(filters, words, tuple(redact or ()), tuple(name or ()))

    def say(line: str) -> None:
        typer.echo(line, err=True)

    whole: list[bool] = []
    try:
        run_command(lambda settings: whole.append(export_conversations(settings, out, asked, say)))
    except BrokenPipeError:
        # Whoever read has gone; the interpreter is not to try once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        say("glimt: whoever read the export has gone.")
        raise typer.Exit(1) from None
    if not all(whole):
        raise typer.Exit(INCOMPLETE)


def person(
    who: Annotated[str, typer.Argument(metavar="WHO", help="Our id of somebody, the platform's, or the name.")],
    out: Annotated[str, typer.Option(metavar="FILE", help="A new zip; left out: the person's id.zip, here.")] = "",
) -> None:
    """All that is stored about one person, as a zip with an index that a browser opens."""
    with explained(), installed("export", "Install it: pip install 'glimt[console]'"):
        from glimt.export import export_person

    run_command(lambda settings: export_person(settings, who, out, lambda line: typer.echo(line, err=True)))
