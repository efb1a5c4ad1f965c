"""Everything between what a model writes and the deltas of one answer."""

from collections.abc import Callable, Sequence

from core.conversation.box_text import BoxText
from core.conversation.boxes import Box
from core.inference.detokenise import Detokeniser, StopStrings
from core.inference.port import Delta
from core.inference.thinking import ThinkingSplitter, Trimmer


class AnswerWords:
    """Text in, deltas out: thinking apart from the answer, the answer cut before a stop string, boxes made readable,
    and all of it trimmed.

    `thinking` says that the prompt ends inside an open thought; `box_pixels` is what `BoxText` takes. Stop strings
    concern the answer as the model writes it, not the thinking; once one came, `stopped` is true and nothing follows.
    """

    def __init__(
        self, *, stop: Sequence[str] = (), thinking: bool = False, box_pixels: tuple[int, int] | None = None
    ) -> None:
        self._splitter = ThinkingSplitter(thinking)
        self._stop = StopStrings(stop)
        self._answer = BoxText(box_pixels)
        self._thought = BoxText(box_pixels)
        self._trim = Trimmer()

    @property
    def stopped(self) -> bool:
        """Whether a stop string came."""
        return self._stop.hit

    @property
    def boxes(self) -> list[Box]:
        """What the answer points out so far."""
        return self._answer.boxes

    def add(self, text: str) -> list[Delta]:
        """What `text` adds; often nothing, because it may be the beginning of a tag, of a box or of a stop string."""
        return self._cut(self._splitter.add(text))

    def think(self, text: str) -> list[Delta]:
        """What `text` adds that is known to be thinking."""
        return _thinking(self._thought.add(text))

    def end(self) -> list[Delta]:
        """What was still held back."""
        deltas = self._cut(self._splitter.end())
        thought = self._thought.end()
        rest = self._trim.add(self._answer.add(self._stop.end()) + self._answer.end())
        return [*deltas, *_thinking(thought), *([Delta(rest)] if rest else [])]

    def _cut(self, deltas: list[Delta]) -> list[Delta]:
        kept: list[Delta] = []
        for delta in deltas:
            if delta.kind == "thinking":
                kept += self.think(delta.text)
                continue
            # The thought is over.
            kept += _thinking(self._thought.end())
            if text := self._trim.add(self._answer.add(self._stop.add(delta.text))):
                kept.append(Delta(text))
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
        box_pixels: tuple[int, int] | None = None,
    ) -> None:
        self._detokeniser = Detokeniser(decode, hidden)
        self._words = AnswerWords(stop=stop, thinking=thinking, box_pixels=box_pixels)

    @property
    def stopped(self) -> bool:
        """Whether a stop string came."""
        return self._words.stopped

    @property
    def boxes(self) -> list[Box]:
        """What the answer points out so far."""
        return self._words.boxes

    def add(self, id: int) -> list[Delta]:
        """What `id` adds; often nothing, because it may be the beginning of a character too."""
        return self._words.add(self._detokeniser.add(id))

    def end(self) -> list[Delta]:
        """What was still held back."""
        return [*self._words.add(self._detokeniser.end()), *self._words.end()]


def _thinking(text: str) -> list[Delta]:
    return [Delta(text, "thinking")] if text else []
