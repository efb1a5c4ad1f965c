"""What of a turn goes into messages: question, pictures, the answer that counts; or why it stays out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.conversation.wordless import WORDLESS
from core.export.options import Answers, ExportOptions
from core.export.taken import Taken
from core.store.review.export import TurnRecord
from core.values import TurnState

_WHOLE = (TurnState.ANSWERED, TurnState.DELIVERED)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One turn. `answer` is what goes into the messages: `original`, which was said in the chat, or `correction`.

    `left_out` says why the turn is in no message; empty: it is.
    """

    record: TurnRecord
    question: str
    original: str
    correction: str
    corrected: bool
    pictures: Sequence[Taken] = ()
    answer_pictures: Sequence[Taken] = ()
    left_out: str = ""

    @property
    def answer(self) -> str:
        """What counts."""
        return self.correction if self.corrected else self.original

    @property
    def shown(self) -> list[Taken]:
        """The pictures of the question that are there."""
        return [picture for picture in self.pictures if picture.place]


def exchange_of(
    record: TurnRecord, options: ExportOptions, pictures: Sequence[Taken], own: Sequence[Taken]
) -> Exchange:
    """`pictures` are the question's, `own` those that a human answered with."""
    turn = record.turn
    question = turn.question.strip()
    if not question and any(picture.place for picture in pictures):
        question = WORDLESS
    corrected = bool(record.correction) and options.answers is Answers.CORRECTED
    exchange = Exchange(record, question, turn.answer.strip(), record.correction, corrected, pictures, own)
    why = _why_not(exchange, options)
    return replace(exchange, left_out=why) if why else exchange


def _why_not(exchange: Exchange, options: ExportOptions) -> str:
    turn = exchange.record.turn
    if not exchange.corrected and turn.state not in _WHOLE:
        return str(turn.state)
    if not exchange.answer:
        return "no answer"
    if not exchange.question:
        return "no words"
    if options.good and exchange.record.rating < 0 and not exchange.corrected:
        return "bad"
    return ""


def up_to_last_good(exchanges: Sequence[Exchange]) -> list[Exchange]:
    """Without what follows the last good answer; what was corrected is good. Nothing, if none is."""
    good = [i for i, e in enumerate(exchanges) if not e.left_out and (e.record.rating > 0 or e.corrected)]
    return list(exchanges[: good[-1] + 1]) if good else []
