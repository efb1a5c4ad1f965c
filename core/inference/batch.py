"""The batching stepper: every step advances all sequences at once, whatever their lengths."""

from collections.abc import Iterator
from collections.abc import Sequence as Several

import torch

from core.inference.failures import as_failure
from core.inference.fairness import ANSWER_WEIGHT, FairQueue, share_chunk, share_whole
from core.inference.families import family_of
from core.inference.forward import Forward
from core.inference.graphs import Record
from core.inference.loader import LoadedModel
from core.inference.pictures import PictureEncoder
from core.inference.port import EngineStats
from core.inference.prefixes import PrefixCache
from core.inference.row import Row
from core.inference.sampling import Sampler
from core.inference.slots import KvSlots
from core.inference.stepper import Admitted, Outcome, Sequence


class BatchStepper:
    """Advances all sequences in one forward pass a step: a token for each that decodes, and chunks of new prompts.

    Sequences wait until there is a slot long enough for prompt and answer, and are taken fairly between people. The
    first rows decode, those behind them are still reading their prompts; a row's number is its slot.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        slots: KvSlots,
        encoder: PictureEncoder,
        prefixes: PrefixCache,
        *,
        most_rows: int,
        chunk_tokens: int,
        record: Record | None = None,
    ) -> None:
        self._device = loaded.device
        self._causal = family_of(loaded.model.config.model_type).causal
        self._suppressed = torch.tensor(sorted(loaded.vocabulary.suppressed), dtype=torch.long, device=loaded.device)
        self._slots = slots
        self.encoder = encoder
        self.prefixes = prefixes
        self._most_rows = most_rows
        self._chunk_tokens = chunk_tokens
        self._waiting: FairQueue[Sequence] = FairQueue()
        self._admitted = 0
        self._rows: list[Row] = []
        self._decoding = 0
        self.forward = Forward(loaded, slots, most_rows=most_rows, record=record)

    def add(self, sequence: Sequence) -> None:
        self._waiting.add(sequence, sequence.person)

    def remove(self, sequence: Sequence) -> None:
        if self._waiting.remove(sequence):
            return
        for slot, row in enumerate(self._rows):
            if row.sequence is sequence:
                self._keep(slot, row)
                self._vacate(slot)
                return

    def step(self) -> Iterator[Outcome]:
        with torch.inference_mode():
            yield from self._admit()
            chunks = []
            shares = self._share()
            self._look_together(shares)
            for row, tokens in shares:
                try:
                    self._look(row, tokens)
                except Exception as error:
                    yield self._drop(row, error)
                else:
                    chunks.append((row, tokens))
            # Those that begin come first: they can be computed together.
            chunks.sort(key=lambda chunk: chunk[0].filled > 0)
            outcomes = self._advance(self._rows[: self._decoding], chunks)
        yield from outcomes

    def stats(self) -> EngineStats:
        pictures, prefixes, kept = self.encoder.cache, self.prefixes, self.prefixes.cache
        return EngineStats(
            waiting=len(self._waiting),
            running=len(self._rows),
            kv_slots=self._slots.count,
            kv_slot_tokens=self._slots.length,
            picture_hits=pictures.hits,
            picture_misses=pictures.misses,
            picture_bytes=pictures.bytes,
            picture_budget=pictures.budget,
            prefix_hits=kept.hits,
            prefix_misses=kept.misses,
            prefix_reused=prefixes.reused,
            prefix_asked=prefixes.asked,
            prefix_bytes=kept.bytes,
            prefix_budget=kept.budget,
        )

    # Taking in and letting go.

    def _admit(self) -> Iterator[Outcome]:
        while len(self._rows) < self._most_rows:
            sequence = self._waiting.take(lambda one: self._make_room(one.most_tokens))
            if sequence is None:
                return
            try:
                sampler = Sampler(sequence.sampling, sequence.prompt.ids[0], self._suppressed)
                row = Row(sequence, sequence.most_tokens, sampler, self._admitted)
            except Exception as error:
                yield sequence, as_failure(error)
                continue
            self._admitted += 1
            self._rows.append(row)
            self._recall(row)
            self._waiting.charge(sequence.person, row.left)
            yield sequence, Admitted(row.filled)

    def _recall(self, row: Row) -> None:
        """Fill the slot of the newest row with what is kept of its conversation."""
        if not self._causal or not row.sequence.scope:
            return
        found = self.prefixes.find(row.sequence.scope, row.marks)
        if found is not None:
            saved, row.filled = found
            self._slots.load(len(self._rows) - 1, saved, row.filled)

    def _make_room(self, need: int) -> bool:
        """Whether there is a free slot for `need` tokens; the slots are cut anew if that helps."""
        used = len(self._rows)
        length = self._slots.fit(max([need, *(row.need for row in self._rows)]))
        if length > self._slots.length or used == self._slots.count:
            if self._slots.tokens // length <= used:
                return False
            if length != self._slots.length:
                self._slots.cut(length, used)
        return used < self._slots.count

    def _keep(self, slot: int, row: Row) -> None:
        if not self._causal or not row.filled or not row.sequence.scope:
            return
        answer = torch.tensor(row.sequence.computed[: max(0, row.filled - row.prompt_tokens)], dtype=torch.long)
        marks = torch.cat([row.marks, answer])[: row.filled]
        with torch.inference_mode():
            self.prefixes.keep(row.sequence.scope, marks, self._slots.save(slot, row.filled))

    def _vacate(self, slot: int) -> None:
        """Close the gap: the last decoding row moves in, and the last row of all where that one was."""
        with torch.inference_mode():
            if slot < self._decoding:
                self._decoding -= 1
                self._move(self._decoding, slot)
                slot = self._decoding
            self._move(len(self._rows) - 1, slot)
        self._rows.pop()

    def _move(self, source: int, to: int) -> None:
        if source != to:
            self._rows[to] = self._rows[source]
            self._slots.move(source, to, self._rows[to].filled)

    def _drop(self, row: Row, error: Exception) -> Outcome:
        """`row` cannot go on; what was computed of it is not kept."""
        self._vacate(self._rows.index(row))
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
        return row.sequence, as_failure(error)

    # One step.

    def _share(self) -> list[tuple[Row, int]]:
        """Which prompts are read on in this step, and how many tokens of each. Charges for what is computed."""
        for row in self._rows[: self._decoding]:
            self._waiting.charge(row.sequence.person, ANSWER_WEIGHT)
        reading = sorted(self._rows[self._decoding :], key=lambda row: row.arrival)
        share = share_chunk if self._causal else share_whole
        shares = share([row.left for row in reading], self._chunk_tokens)
        return [(reading[index], tokens) for index, tokens in shares]

    def _look_together(self, shares: Several[tuple[Row, int]]) -> None:
        """Encode what can be encoded at once. What is left, or fails, is `_look`'s."""
        wanted = [
            (row, number, picture)
            for row, tokens in shares
            for number, picture in row.pictures_in(tokens)
            if row.features[number] is None
        ]
        if len(wanted) > 1:
            found = self.encoder.encode_together([(row.sequence.tenant, picture) for row, _, picture in wanted])
            for (row, number, _), features in zip(wanted, found, strict=True):
                row.features[number] = features

    def _look(self, row: Row, tokens: int) -> None:
        """Encode the pictures that the next `tokens` tokens of `row` show."""
        for number, picture in row.pictures_in(tokens):
            if row.features[number] is None:
                row.features[number] = self.encoder(row.sequence.tenant, picture)

    def _advance(self, decoding: list[Row], chunks: list[tuple[Row, int]]) -> list[Outcome]:
        """Compute; if that fails, find out for whom."""
        if not decoding and not chunks:
            return []
        try:
            tokens = self.forward(self._rows, decoding, chunks)
        except Exception as error:
            if len(decoding) + len(chunks) == 1:
                return [self._drop(decoding[0] if decoding else chunks[0][0], error)]
            return self._advance_apart(decoding, chunks)
        return self._note(tokens, decoding, chunks)

    def _advance_apart(self, decoding: list[Row], chunks: list[tuple[Row, int]]) -> list[Outcome]:
        """A step that failed, in smaller parts. What a part computes twice comes out the same."""
        outcomes: list[Outcome] = []
        for row, tokens in chunks:
            outcomes += self._advance([], [(row, tokens)])
        if chunks:
            return outcomes + self._advance(decoding, [])
        # Decoding rows must begin at slot 0: each has its turn there, the last one first.
        for row in reversed(decoding):
            outcomes += self._advance_first(row)
        return outcomes

    def _advance_first(self, row: Row) -> list[Outcome]:
        slot = self._rows.index(row)
        self._swap(slot, 0)
        outcomes = self._advance([row], [])
        if row in self._rows:
            self._swap(slot, 0)
        return outcomes

    def _swap(self, one: int, other: int) -> None:
        if one != other:
            rows = self._rows
            self._slots.swap(one, other, rows[one].filled, rows[other].filled)
            rows[one], rows[other] = rows[other], rows[one]

    def _note(self, tokens: list[int], decoding: list[Row], chunks: list[tuple[Row, int]]) -> list[Outcome]:
        """Write down what was computed."""
        for row in decoding:
            row.filled += 1
        for row, count in chunks:
            row.filled += count
        complete = [row for row, _ in chunks if not row.left]
        for row in complete:
            row.features.clear()
            self._swap(self._rows.index(row), self._decoding)
            self._decoding += 1
        outcomes: list[Outcome] = []
        for row, token in zip([*decoding, *complete], tokens, strict=True):
            row.sequence.computed.append(token)
            outcomes.append((row.sequence, token))
        return outcomes
