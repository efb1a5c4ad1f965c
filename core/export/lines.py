"""From the exchanges of a chunk to lines, by the kind of export."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from core.export.exchange import Exchange, up_to_last_good
from core.export.messages import Messages
from core.export.metadata import describe_conversation, describe_turn, describe_turns
from core.export.options import ExportOptions, Kind, Shape
from core.export.redaction import Redactor
from core.policy.effective import Manner
from core.store.review.export import Head

# An answer by itself is told with so many turns before it.
HISTORY = 20
Line = dict[str, Any]


class Lines:
    """Makes lines. Texts are redacted here, the last thing before they are written."""

    def __init__(self, options: ExportOptions, redactor: Redactor) -> None:
        self._options = options
        self._redactor = redactor
        self._messages = Messages(options.shape)

    def of(self, head: Head, part: int, manner: Manner, exchanges: Sequence[Exchange]) -> Iterator[Line]:
        """The lines of one chunk, if there is anything to learn from it. `manner`: how is answered there."""
        told = [self._redacted(exchange) for exchange in exchanges]
        usable = [exchange for exchange in told if not exchange.left_out]
        system = self._redactor.text(head.conversation.system_prompt or manner.system)
        where = describe_conversation(head, part, manner.persona, self._redactor)
        if self._options.kind is Kind.CHAT:
            chosen = up_to_last_good(told) if self._options.good else told
            usable = [exchange for exchange in chosen if not exchange.left_out]
            if usable:
                messages = {"messages": self._messages.of(system, usable), **self._messages.images(usable)}
                yield {**messages, "metadata": where | describe_turns(chosen, self._redactor)}
            return
        for i, exchange in enumerate(usable):
            line = self._single(system, usable[max(0, i - HISTORY) : i], exchange)
            if line is not None:
                yield line | {"metadata": where | {"turn": describe_turn(exchange, self._redactor)}}

    def _single(self, system: str, before: Sequence[Exchange], exchange: Exchange) -> Line | None:
        prompt = [*self._messages.of(system, before), self._messages.asked(exchange)]
        images = self._messages.images([*before, exchange])
        original = self._messages.said("assistant", exchange.original)
        as_tags = self._options.shape is Shape.TAGS
        if not exchange.original:
            return None
        if self._options.kind is Kind.PAIRS:
            if exchange.correction in ("", exchange.original):
                return None
            chosen = self._messages.said("assistant", exchange.correction)
            if as_tags:
                # As LLaMA-Factory has it: one message each.
                return {"messages": prompt, "chosen": chosen, "rejected": original, **images}
            return {"prompt": prompt, "chosen": [chosen], "rejected": [original], **images}
        rating = exchange.record.rating
        if rating == 0:
            return None
        if as_tags:
            return {"messages": [*prompt, original], "label": rating > 0, **images}
        return {"prompt": prompt, "completion": [original], "label": rating > 0, **images}

    def _redacted(self, exchange: Exchange) -> Exchange:
        text = self._redactor.text
        question, original, correction = text(exchange.question), text(exchange.original), text(exchange.correction)
        return replace(exchange, question=question, original=original, correction=correction)
