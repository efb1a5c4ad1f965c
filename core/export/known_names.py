"""Names of people who are known, found in texts."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise

# A character of a script without spaces is a token by itself, so that a name is found in the middle of a sentence.
ALONE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff"
_TOKENS = re.compile(rf"[{ALONE}]|[^\W{ALONE}]+")
# Between the words of a name: Ann-Marie O'Neill, 李 小明.
_BETWEEN = re.compile(r"[\s.'’‘·・\-‐]{0,3}")
# A part of a name with fewer letters is found all over the place.
_SHORTEST_PART = 3
_SHORTEST = 2
# Family name and a given name of two characters, which is also used alone.
_HAN_NAME = 3
_Word = tuple[str, int, int]


class KnownNames:
    """Whole names, and the words of a name by themselves: `Ann` of `Ann Lee`, 小明 of 王小明.

    A single word counts only as the name writes it, or with a capital: `Will` is a name, `will` is none. Takes time for
    the words of a text, not for the number of names.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        # Its first word → names of several words, in lower case, longest first.
        self._whole: dict[str, list[tuple[str, ...]]] = defaultdict(list)
        self._single: set[str] = set()
        self._known: set[str] = set()
        self.add(names)

    def add(self, names: Iterable[str]) -> None:
        """Know these, too."""
        for name in names:
            if name in self._known:
                continue
            self._known.add(name)
            words = _TOKENS.findall(name)
            if sum(len(word) for word in words) < _SHORTEST or all(word.isdigit() for word in words):
                continue
            if len(words) == 1:
                self._single.update((words[0], words[0].capitalize(), words[0].upper()))
                continue
            self._know_whole(tuple(word.casefold() for word in words))
            if len(words) == _HAN_NAME and all(len(word) == 1 for word in words):
                self._know_whole(tuple(words[1:]))
            self._single.update(w for w in words if len(w) >= _SHORTEST_PART and w[0].isupper() and w.isalpha())

    def _know_whole(self, name: tuple[str, ...]) -> None:
        same = self._whole[name[0]]
        if name not in same:
            same.append(name)
            same.sort(key=len, reverse=True)

    def take_out(self, text: str, mark: str) -> tuple[str, int]:
        """The text with `mark` for each name, and how many there were."""
        pieces, at = [], 0
        spans = list(self._found(text))
        for start, end in spans:
            pieces += [text[at:start], mark]
            at = end
        return "".join([*pieces, text[at:]]), len(spans)

    def _found(self, text: str) -> Iterator[tuple[int, int]]:
        words = [(match[0], match.start(), match.end()) for match in _TOKENS.finditer(text)]
        i = 0
        while i < len(words):
            length = self._whole_at(text, words, i) or (1 if words[i][0] in self._single else 0)
            if length:
                yield words[i][1], words[i + length - 1][2]
            i += length or 1

    def _whole_at(self, text: str, words: list[_Word], i: int) -> int:
        """Of how many words the name is that begins here; 0: none does."""
        for name in self._whole.get(words[i][0].casefold(), ()):
            here = words[i : i + len(name)]
            if tuple(word.casefold() for word, _, _ in here) == name and all(
                _BETWEEN.fullmatch(text[before[2] : behind[1]]) for before, behind in pairwise(here)
            ):
                return len(name)
        return 0
