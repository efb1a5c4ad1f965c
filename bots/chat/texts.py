"""What people are told, in their language: gettext over the catalogues in `locales/`, written by `make texts`.

English is in the code; what a catalogue lacks is said in English.
"""

import gettext
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from bots.chat.error_texts import ERROR_PATTERNS
from core.errors import GlimtError

LOCALES = Path(__file__).parent / "locales"
ENGLISH = "en"
# What a person may choose, and how each language calls itself.
LANGUAGES: Mapping[str, str] = {ENGLISH: "English", "zh": "中文"}
_OTHER_NAMES = {"english": ENGLISH, "英文": ENGLISH, "英语": ENGLISH, "chinese": "zh", "中文": "zh"}


class Texts:
    """One language. A text is its English wording, whose fields in braces are filled in afterwards.

    `make texts` finds them by these names: `texts("…")`, `texts.plural("…", "…", n)`, `text_id("…")`.
    """

    def __init__(self, language: str, catalogue: gettext.NullTranslations) -> None:
        self.language = language
        self._catalogue = catalogue

    def __call__(self, text: str, **values: object) -> str:
        """`text` in this language, with its fields filled in."""
        said = self._catalogue.gettext(text) if text else ""
        return said.format(**values) if values else said

    def plural(self, one: str, many: str, n: int, **values: object) -> str:
        """The form for `n`, which fills the field {n}."""
        return self._catalogue.ngettext(one, many, n).format(n=n, **values)

    def error(self, error: GlimtError | str) -> str:
        """What an error tells people: its own words or those that were stored of it, in this language."""
        said = error.user_message if isinstance(error, GlimtError) else error
        translated = self._catalogue.gettext(said) if said else ""
        if translated != said:
            return translated
        # Errors are written down with their numbers in them.
        for template, pattern in ERROR_PATTERNS:
            if (match := pattern.fullmatch(said)) is not None:
                return self._catalogue.gettext(template).format(**match.groupdict())
        return said


def text_id(text: str) -> str:
    """Marks a text that is said elsewhere, so that `make texts` finds it."""
    return text


@cache
def texts_for(locale: str) -> Texts:
    """The texts of a language or locale, such as `zh`, `zh-CN`, `zh_hans`, `en-US`; English for unknown ones."""
    language = known_language(locale) or ENGLISH
    catalogue = gettext.NullTranslations()
    if language != ENGLISH:
        with (LOCALES / f"{language}.mo").open("rb") as file:
            catalogue = gettext.GNUTranslations(file)
    return Texts(language, catalogue)


def known_language(word: str) -> str:
    """The language that a code or a name means (`zh_CN`, `Chinese`, `中文`); empty: none that is spoken here."""
    cleaned = word.strip().lower()
    code = _OTHER_NAMES.get(cleaned) or re.split(r"[-_]", cleaned)[0]
    return code if code in LANGUAGES else ""
