"""`make texts`: finds what people are told and brings the catalogues in `bots/chat/locales` into step with it.

New texts are added without a translation, unused ones removed, and each catalogue is compiled for gettext. A test runs
the same and finds nothing to do.
"""

import ast
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from bots.chat.texts import ENGLISH, LANGUAGES, LOCALES

ROOT = Path(__file__).parent.parent
# Where texts are said in a person's language, by the names in `bots.chat.texts`.
SPOKEN = ("bots/chat", "bots/slack", "bots/telegram")
KEYWORDS: dict[str, tuple[int, ...] | None] = {"texts": None, "text_id": None, "plural": (1, 2)}
# Where errors come from that reach people in a chat: in English, and translated when they are told.
ERRORS = ("core", "bots/services.py", *SPOKEN)
_MESSAGE_NAMES = {
    *("user_message", "gone", "_WORKER_LOST_MESSAGE"),
    # Why a file was refused.
    *("_TOO_MANY", "_NOT_INSTALLED", "_NOT_IN_TIME", "_LEFT_OUT", "_NOT_WHOLE", "_GAVE_WAY"),
}
# Nobody reads these in a chat: what files of the review console's say, and single texts.
_CONSOLE = (
    "core/policy/saving.py",
    "core/store/admins.py",
    "core/store/admin_tokens.py",
    "core/store/reviewing/",
    "core/errors/console.py",
    "core/conversation/takeover.py",
)
_ELSEWHERE = {
    "There is (or was) a key named {name} already. Choose another name.",
    "{waiting} questions of this key are waiting already. Please wait for some answers first, and send fewer at once.",
}


def found_texts(root: Path = ROOT) -> Catalog:
    """Every text that is told, untranslated, in the order of the places where it stands."""
    catalog = Catalog(charset="utf-8")
    for folder in SPOKEN:
        if (root / folder).is_dir():
            spoken = extract_from_dir(root / folder, [("**.py", "python")], keywords=KEYWORDS)
            for file, _, message, _, _ in sorted(spoken, key=lambda found: (found[0], found[1])):
                catalog.add(message, locations=[(f"{folder}/{file}", 0)])
    for file, message in error_texts(root):
        catalog.add(message, locations=[(file, 0)])
    return catalog


def error_texts(root: Path = ROOT) -> list[tuple[str, str]]:
    """(file, text) of the errors that reach people; what is filled in stands as {name}."""
    found = []
    for place in ERRORS:
        files = [root / place] if place.endswith(".py") else sorted((root / place).rglob("*.py"))
        for file in files:
            if file.relative_to(root).as_posix().startswith(_CONSOLE):
                continue
            for text in _messages(ast.parse(file.read_text())):
                if text and text not in _ELSEWHERE:
                    found.append((str(file.relative_to(root)), text))
    return found


def updated(language: str, template: Catalog) -> Catalog:
    """The catalogue of a language with exactly the texts of `template`."""
    path = LOCALES / f"{language}.po"
    catalog = Catalog(locale=language)
    if path.exists():
        with path.open("rb") as file:
            catalog = read_po(file, locale=language)
    catalog.update(template, no_fuzzy_matching=True, update_creation_date=False)
    catalog.obsolete.clear()
    catalog.header_comment = "# What people are told in a chat. Written by `make texts`; translations are made here."
    catalog.project, catalog.version, catalog.fuzzy = "Glimt", "", False
    return catalog


def as_po(catalog: Catalog) -> bytes:
    """The catalogue as its translator reads it."""
    written = BytesIO()
    write_po(written, catalog, width=120, omit_header=False, sort_by_file=True, include_lineno=False)
    return written.getvalue()


def as_mo(catalog: Catalog) -> bytes:
    """The catalogue as gettext reads it."""
    written = BytesIO()
    write_mo(written, catalog)
    return written.getvalue()


def main() -> None:
    """Write all catalogues anew and say what is not translated yet."""
    template = found_texts()
    for language in LANGUAGES:
        if language == ENGLISH:
            continue
        catalog = updated(language, template)
        (LOCALES / f"{language}.po").write_bytes(as_po(catalog))
        (LOCALES / f"{language}.mo").write_bytes(as_mo(catalog))
        missing = [message for message in catalog if message.id and not all(translations(message))]
        print(f"{language}: {len(catalog)} texts, {len(missing)} not translated")
        for message in missing:
            print(f"  {message.id!r}")


def translations(message: Message) -> tuple[str, ...]:
    """All forms of a translation; empty ones where it lacks one."""
    string = message.string
    return tuple(string) if isinstance(string, list | tuple) else (string or "",)


def _messages(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        match node:
            case ast.keyword(arg=name) if name in _MESSAGE_NAMES:
                yield _template(node.value)
            case ast.Assign(targets=targets) if any(_name(target) in _MESSAGE_NAMES for target in targets):
                yield _template(node.value)


def _template(value: ast.expr) -> str:
    """The text of a string or f-string; empty for anything else."""
    if isinstance(value, ast.Constant):
        return value.value if isinstance(value.value, str) else ""
    if isinstance(value, ast.JoinedStr):
        return "".join(
            f"{{{_name(part.value)}}}" if isinstance(part, ast.FormattedValue) else _template(part)
            for part in value.values
        )
    return ""


def _name(value: ast.expr) -> str:
    """What to call something that is filled in: the last name of the expression."""
    if isinstance(value, ast.Call) and value.args:
        return _name(value.args[0])
    return value.attr if isinstance(value, ast.Attribute) else value.id if isinstance(value, ast.Name) else ""


if __name__ == "__main__":
    main()
