"""Taking addresses, numbers and names of people out of texts.

Numbers are found by their shape and kept unless a library says that they are one: phonenumbers (Google's plans of all
countries), python-stdnum (check digits). So prices, dates and order numbers stay. What a picture shows stays, too.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence

import phonenumbers
from stdnum import iban, luhn
from stdnum.cn import ric
from stdnum.us import ssn

from core.errors import ConfigurationError
from core.export.known_names import ALONE, KnownNames
from core.export.options import Redact

# What stands for an ASCII character: its wide form, other spaces and dashes. Other digits are looked up.
_SAME = {0xFF01 + n: 0x21 + n for n in range(94)} | dict.fromkeys(map(ord, "\u2007\u202f\u3000"), " ")
_SAME |= dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"), "-")
_OTHER_DIGIT = re.compile(r"(?![0-9])\d")
# What nobody sees, inside of what is written in ASCII: soft hyphens, characters without width.
_INVISIBLE = re.compile("(?<=[!-~\uff01-\uff5e])[\u00ad\u200b-\u200f\u2060\ufeff]+(?=[!-~\uff01-\uff5e])")
# Between the parts of a long number that somebody has written down.
_GAP = "[ \u00a0\u2009-]"
# Letters and digits of scripts with spaces: 邮箱ann@example.org is an address behind a word.
_WORD = rf"[^\W{ALONE}]"
_EMAIL = re.compile(
    rf"(?:{_WORD}|[.+%'-]){{1,64}}[@＠](?:{_WORD}(?:(?:{_WORD}|-){{0,61}}{_WORD})?\.){{1,8}}[A-Za-z]{{2,24}}(?!{_WORD}|-)"
)
_CARD = re.compile(rf"(?<![\d.,])\d(?:{_GAP}?\d){{12,18}}(?!\d)(?![.,]\d)")
# The beginnings that card networks have been given; nothing else of that length is a card.
_ISSUER = re.compile(r"4|5[0-8]|2[2-7]|3[0-9]|6|81|9[27]")
_IBAN = re.compile(rf"(?<![A-Za-z0-9])[A-Za-z]{{2}}\d{{2}}(?:{_GAP}?[A-Za-z0-9]){{11,30}}(?![A-Za-z0-9])")
# A resident's number in mainland China, a social security number of the United States.
_RIC = re.compile(r"(?<![\dA-Za-z])\d{17}[\dXx](?![\dA-Za-z])")
_SSN = re.compile(r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])")
# How Slack names somebody, and how people do.
_MENTION = re.compile(rf"<@[A-Z0-9]+(?:\|[^>]*)?>|(?<!{_WORD})(?<![@.])[@＠][A-Za-z][A-Za-z0-9_.]{{2,31}}(?!{_WORD})")
_MOST_IBAN = 34
# What a phone number has at least, with whatever people write between its digits.
_DIGITS = re.compile(r"\d(?:\D{0,4}\d){5}")
_NATIONAL_SEPARATORS = re.compile(r"[\s().\-/–]")


class Redactor:
    """Takes the chosen things out of texts and counts what it took.

    `regions` are countries (ISO 3166: "CN", "US") whose phone numbers are known without their +; those that begin with
    + are known from everywhere.

    Raises:
        ConfigurationError: there is no such country.
    """

    def __init__(self, chosen: Collection[Redact], *, regions: Sequence[str] = (), names: Iterable[str] = ()) -> None:
        if unknown := set(regions) - phonenumbers.SUPPORTED_REGIONS:
            raise ConfigurationError(
                f"GLIMT_REDACT_REGIONS: no phone numbers are known of {', '.join(sorted(unknown))}."
            )
        self.chosen = frozenset(chosen)
        self.counts: Counter[str] = Counter()
        self._regions: tuple[str | None, ...] = tuple(regions) or (None,)
        self._names = KnownNames(names)

    @property
    def names(self) -> bool:
        """Whether nobody is to be known."""
        return Redact.NAME in self.chosen

    def know(self, names: Iterable[str]) -> None:
        """Further people whose names are taken out from now on."""
        self._names.add(names)

    def text(self, text: str) -> str:
        """The same text with marks in it. What is surer goes first: an address may have a name in it."""
        if not text or not self.chosen:
            return text
        if not text.isascii():
            text = _INVISIBLE.sub("", text)
        if Redact.EMAIL in self.chosen:
            text = self._each(_EMAIL, Redact.EMAIL, text, len)
        if Redact.IBAN in self.chosen:
            text = self._each(_IBAN, Redact.IBAN, text, _iban_length)
        if Redact.ID in self.chosen:
            text = self._each(_RIC, Redact.ID, text, _if(lambda found: bool(ric.is_valid(found.upper()))))
            text = self._each(_SSN, Redact.ID, text, _if(lambda found: bool(ssn.is_valid(found))))
        if Redact.CARD in self.chosen:
            text = self._each(_CARD, Redact.CARD, text, _if(_is_card))
        if Redact.PHONE in self.chosen:
            text = self._phones(text)
        if Redact.NAME in self.chosen:
            text = self._each(_MENTION, Redact.NAME, text, len)
            text, taken = self._names.take_out(text, _mark(Redact.NAME))
            self.counts.update({Redact.NAME: taken} if taken else {})
        return text

    def _each(self, pattern: re.Pattern[str], kind: Redact, text: str, length: Callable[[str], int]) -> str:
        """`length`: how many characters of what looks like one are one."""
        pieces: list[str] = []
        end = 0
        for match in pattern.finditer(_plain(text)):
            if taken := length(match[0]):
                pieces += [text[end : match.start()], _mark(kind)]
                end = match.start() + taken
                self.counts[kind] += 1
        return "".join([*pieces, text[end:]])

    def _phones(self, text: str) -> str:
        # Looking for them takes longer than everything else, and most texts have too few digits for any.
        if _DIGITS.search(text) is None:
            return text
        for region in self._regions:
            found = phonenumbers.PhoneNumberMatcher(_plain(text), region, leniency=phonenumbers.Leniency.VALID)
            # From the last one on, so that the places before it stay true.
            for match in reversed([match for match in found if _is_phone(match)]):
                text = text[: match.start] + _mark(Redact.PHONE) + text[match.end :]
                self.counts[Redact.PHONE] += 1
        return text


def _plain(text: str) -> str:
    """The same text in ASCII where that says the same; each character stays where it was."""
    if text.isascii():
        return text
    return _OTHER_DIGIT.sub(lambda match: str(unicodedata.decimal(match[0])), text.translate(_SAME))


def _if(is_one: Callable[[str], bool]) -> Callable[[str], int]:
    return lambda found: len(found) if is_one(found) else 0


def _iban_length(found: str) -> int:
    # A word behind it may look like its last group, so it is tried with less and less.
    for end in (len(found), *(gap.start() for gap in reversed(list(re.finditer(_GAP, found))))):
        number = re.sub(_GAP, "", found[:end])
        if len(number) <= _MOST_IBAN and iban.is_valid(number, check_country=False):
            return end
    return 0


def _mark(kind: Redact) -> str:
    return f"[{kind.upper()}]"


def _is_card(found: str) -> bool:
    number = re.sub(r"\D", "", found)
    return _ISSUER.match(number) is not None and len(set(number)) > 1 and bool(luhn.is_valid(number))


def _is_phone(match: phonenumbers.PhoneNumberMatch) -> bool:
    """Digits alone may be an order number, so without a + or a gap only a mobile number is one for sure."""
    if match.raw_string.lstrip().startswith(("+", "＋")) or _NATIONAL_SEPARATORS.search(match.raw_string.strip()):
        return True
    return bool(phonenumbers.number_type(match.number) == phonenumbers.PhoneNumberType.MOBILE)
