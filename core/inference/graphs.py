"""Steps that only decode, recorded once as CUDA graphs and played again.

A GPU is done with such a step sooner than Python has named all of its thousand kernels. Recorded, they are started
together. A recording holds for one number of rows and one length that they look back, so both are rounded up.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import NamedTuple

import structlog
import torch

from core.inference.memory import free_bytes
from core.inference.ragged import Layout
from core.inference.slots import KvSlots, slot_length

log = structlog.get_logger(__name__)

# Returns what computes a step again, on the same memory.
Record = Callable[[Callable[[], None]], Callable[[], None]]
# (ids (N,), positions (1, N) or (4, 1, N), layout) to logits (N, vocabulary).
Decode = Callable[[torch.Tensor, torch.Tensor, Layout], torch.Tensor]

# Recordings that are kept, those that were needed last. The driver keeps some MiB for each.
MOST_RECORDINGS = 48
# Below this much free memory nothing more is recorded.
LEAST_FREE_BYTES = 512 * 2**20
# How far numbers of a recording may be from those of the step that was recorded, of the largest.
_TOLERANCE = 0.01


class Bucket(NamedTuple):
    """What a recording holds for: `rows` rows that look back at most `reach` tokens in slots of `length` tokens."""

    rows: int
    reach: int
    length: int


class Decoding(NamedTuple):
    """A row that decodes: `token` stands at `place` of its slot, and at `place + shift` for the model."""

    token: int
    place: int
    shift: int


def bucket_of(rows: int, longest: int, slots: KvSlots, most_rows: int) -> Bucket | None:
    """The smallest bucket for `rows` rows, the longest of which has `longest` tokens; None if there are no slots for
    so many."""
    most = min(most_rows, slots.count)
    if not 0 < rows <= most:
        return None
    return Bucket(min(1 << (rows - 1).bit_length(), most), min(slot_length(longest), slots.length), slots.length)


class DecodeGraphs:
    """Steps over the first slots, by `decode`, recorded by `record`. The inference thread alone calls it.

    Once a recording fails, or gives other numbers than the step itself, nothing is played any more.
    """

    def __init__(
        self, decode: Decode, slots: KvSlots, device: torch.device, *, most_rows: int, dimensions: int, record: Record
    ) -> None:
        self._decode = decode
        self._slots = slots
        self._device = device
        self._most_rows = most_rows
        # Whether positions are (1, N) or (4, 1, N).
        self._dimensions = dimensions
        self._record = record
        self._recordings: OrderedDict[Bucket, Callable[[], None]] = OrderedDict()
        self.usable = True
        self.played = 0
        # What changes from step to step stays at one place: the table of `Decoding`s comes in, logits go out.
        pinned = device.type == "cuda"
        self._said = torch.zeros(3, most_rows, dtype=torch.long, pin_memory=pinned)
        self._table = torch.zeros(3, most_rows, dtype=torch.long, device=device)
        self._logits = torch.empty(0)

    def __len__(self) -> int:
        return len(self._recordings)

    def __call__(self, rows: Sequence[Decoding], others: Sequence[int]) -> torch.Tensor | None:
        """Logits (rows, vocabulary) for the rows in the slots 0, 1, …, to be used before the next call; None if this
        step has to be computed without a recording.

        A bucket may have more rows. What is computed for those goes where it does no harm: to the place in their slot
        that is written next anyhow, `others` for the slots behind the rows, and 0 where a slot is empty.
        """
        if not self.usable:
            return None
        bucket = bucket_of(len(rows), max(row.place for row in rows) + 1, self._slots, self._most_rows)
        if bucket is None:
            return None
        more = bucket.rows - len(rows)
        unused = [*others[:more], *[0] * (more - len(others))]
        padded = [*rows, *(Decoding(0, place, 0) for place in unused)]
        self._said[:, : bucket.rows] = torch.tensor(padded, dtype=torch.long).T
        self._table.copy_(self._said, non_blocking=True)
        play = self._recordings.get(bucket)
        if play is not None:
            self._recordings.move_to_end(bucket)
            play()
            self.played += 1
        elif not self._make(bucket, len(rows)):
            return None
        return self._logits[: len(rows)]

    def _make(self, bucket: Bucket, rows: int) -> bool:
        """Compute the step and record it; whether it was computed, which it is also if it cannot be recorded."""
        if self._device.type == "cuda" and free_bytes(self._device) < LEAST_FREE_BYTES:
            return False

        def step() -> None:
            self._step(bucket)

        # What libraries put off until they are needed must not be put off until the recording.
        step()
        expected = self._logits[:rows].clone()
        try:
            play = self._record(step)
            play()
            error = "" if _close(self._logits[:rows], expected) else "it gives other numbers"
        except Exception as failure:
            error = f"{type(failure).__name__}: {failure}"
        if error:
            self.usable = False
            self._recordings.clear()
            log.warning("cuda_graphs_off", rows=bucket.rows, reach=bucket.reach, reason=error)
            self._logits[:rows] = expected
            return True
        self._recordings[bucket] = play
        if len(self._recordings) > MOST_RECORDINGS:
            self._recordings.popitem(last=False)
        return True

    def _step(self, bucket: Bucket) -> None:
        ids, places, shifts = self._table[:, : bucket.rows]
        shifted = places + shifts
        positions = shifted[None] if self._dimensions == 1 else torch.stack([places, *[shifted] * 3])[:, None]
        logits = self._decode(ids, positions, Layout.decoding(self._slots, places, bucket.reach))
        if not self._logits.numel():
            self._logits = logits.new_empty(self._most_rows, logits.shape[-1])
        self._logits[: bucket.rows] = logits


def _close(found: torch.Tensor, expected: torch.Tensor) -> bool:
    return bool((found - expected).abs().max() <= _TOLERANCE * expected.abs().max())


class CudaRecorder:
    """Records CUDA graphs that share their memory, so never two of them play at once."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._pool = torch.cuda.graph_pool_handle()
        # Always this one: libraries keep memory for each stream that they have met.
        self._stream = torch.cuda.Stream(device)
        # The memory is there as long as one of them is.
        self._first: torch.cuda.CUDAGraph | None = None

    def __call__(self, step: Callable[[], None]) -> Callable[[], None]:
        graph = torch.cuda.CUDAGraph()
        index, before = self._device.index, torch.cuda.current_stream(self._device)
        # Other threads may use the GPU meanwhile: eyes and a mind are two engines.
        recording = torch.cuda.graph(graph, pool=self._pool, stream=self._stream, capture_error_mode="thread_local")
        try:
            with torch.cuda.device(self._device), recording:
                step()
        except BaseException:
            # torch believes on that random numbers are being recorded. A copy of their state knows nothing of it.
            random = torch.cuda.default_generators[torch.cuda.current_device() if index is None else index]
            random.graphsafe_set_state(random.clone_state())
            raise
        finally:
            # Nor does it go back to this one by itself.
            torch.cuda.set_stream(before)
        self._first = self._first or graph
        return graph.replay
