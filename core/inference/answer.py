"""Everything between what a model gives, token ids or text, and the deltas of one answer."""

from collections.abc import Callable, Sequence

from core.inference.detokenise import Detokeniser, StopStrings
from core.inference.port import Delta
from core.inference.thinking import ThinkingSplitter, Trimmer


class AnswerWords:
    """Text in, deltas out: thinking apart from the answer, the answer cut before a stop string and trimmed.

    `thinking` says that the prompt ends inside an open thought. Stop strings concern the answer, not the thinking;
    once one came, `stopped` is true and nothing follows.
    """

    def __init__(self, *, stop: Sequence[str] = (), thinking: bool = False) -> None:
        self._splitter = ThinkingSplitter(thinking)
        self._stop = StopStrings(stop)
        self._trim = Trimmer()

    @property
    def stopped(self) -> bool:
        """Whether a stop string came."""
        return self._stop.hit

    def add(self, text: str) -> list[Delta]:
        """What `text` adds; often nothing, because it may be the beginning of a tag or a stop string."""
        return self._cut(self._splitter.add(text))

    def end(self) -> list[Delta]:
        """What was still held back."""
        deltas = self._cut(self._splitter.end())
        rest = self._trim.add(self._stop.end())
        return [*deltas, Delta(rest)] if rest else deltas

    def _cut(self, deltas: list[Delta]) -> list[Delta]:
        kept = []
        for delta in deltas:
            text = delta.text if delta.kind == "thinking" else self._trim.add(self._stop.add(delta.text))
            if text:
                kept.append(Delta(text, delta.kind))
        return kept


class AnswerText:
    """Ids in, deltas out: as `AnswerWords`, and decoded before.

    `decode` gives the text of ids, `hidden` are ids without text.
    """

    def __init__(
        self,
        decode: Callable[[list[int]], str],
        hidden: frozenset[int],
        *,
        stop: Sequence[str] = (),
        thinking: bool = False,
    ) -> None:
        self._detokeniser = Detokeniser(decode, hidden)
        self._words = AnswerWords(stop=stop, thinking=thinking)

    @property
    def stopped(self) -> bool:
        """Whether a stop string came."""
        return self._words.stopped

    def add(self, id: int) -> list[Delta]:
        """What `id` adds; often nothing, because it may be the beginning of a character, a tag or a stop string."""
        return self._words.add(self._detokeniser.add(id))

    def end(self) -> list[Delta]:
        """What was still held back."""
        return [*self._words.add(self._detokeniser.end()), *self._words.end()]
