"""The forward pass of a step: from rows and chunks of prompts to their next tokens."""

from typing import Any

import torch

from core.inference.families import family_of
from core.inference.graphs import DecodeGraphs, Decoding, Record
from core.inference.loader import LoadedModel
from core.inference.ragged import Chunk, Layout, computing
from core.inference.row import Row
from core.inference.sampling import choose_all
from core.inference.slots import KvSlots


class Forward:
    """Computes steps with the unmodified layers of a model; a row's number is its slot in `slots`.

    Steps that only decode are recorded by `record`; without it each is computed anew.
    """

    def __init__(self, loaded: LoadedModel, slots: KvSlots, *, most_rows: int, record: Record | None = None) -> None:
        self._decoder = loaded.model.get_decoder()
        self._embed = loaded.model.get_input_embeddings()
        self._head = loaded.model.get_output_embeddings()
        self._device = loaded.device
        self._causal = family_of(loaded.model.config.model_type).causal
        self._slots = slots
        dimensions = 4 if hasattr(getattr(loaded.model, "model", None), "get_rope_index") else 1
        self.graphs = record and DecodeGraphs(
            self.decode_packed, slots, loaded.device, most_rows=most_rows, dimensions=dimensions, record=record
        )
        # transformers reads a mask of four dimensions as one that is ready; the layout knows better.
        self._no_mask = torch.empty(1, 1, 1, 1, device=loaded.device)

    def __call__(self, rows: list[Row], decoding: list[Row], chunks: list[tuple[Row, int]]) -> list[int]:
        """The next token of every row in `decoding`, and of those in `chunks` (rows, tokens to read) whose prompt is
        then complete. `rows` are all that have a slot, `decoding` the first of them."""
        return self._compute(rows, decoding, chunks) if chunks else self._decode(rows, decoding)

    def _decode(self, rows: list[Row], decoding: list[Row]) -> list[int]:
        if self.graphs is not None:
            table = [Decoding(row.sequence.computed[-1], row.filled, row.sequence.prompt.shift) for row in decoding]
            logits = self.graphs(table, [row.filled for row in rows[len(decoding) :]])
            if logits is not None:
                return choose_all([row.sampler for row in decoding], logits)
        return self._compute(rows, decoding, [])

    def decode_packed(self, ids: torch.Tensor, positions: torch.Tensor, layout: Layout) -> torch.Tensor:
        """Logits (N, vocabulary) of a step that only decodes."""
        logits: torch.Tensor = self._head(self._hidden(self._embed(ids), positions, layout))
        return logits

    def _hidden(self, embeds: torch.Tensor, positions: torch.Tensor, layout: Layout, **more: Any) -> torch.Tensor:
        with computing(layout):
            hidden: torch.Tensor = self._decoder(
                inputs_embeds=embeds[None],
                position_ids=positions,
                attention_mask=self._no_mask,
                use_cache=False,
                **more,
            ).last_hidden_state[0]
        return hidden

    def _compute(self, rows: list[Row], decoding: list[Row], chunks: list[tuple[Row, int]]) -> list[int]:
        ids, positions, laid = _lay_out(rows, decoding, chunks)
        embeds = self._embed(ids.to(self._device))
        seen = torch.cat([torch.zeros(len(decoding), dtype=torch.bool), *(row.placeholders_in(n) for row, n in chunks)])
        more: dict[str, Any] = {}
        if bool(seen.any()):
            # By numbers: a mask would have to be read back from the device first.
            at = seen.nonzero()[:, 0].to(self._device)
            features = [part for row, tokens in chunks for part in row.features_in(tokens)]
            embeds = embeds.index_put((at,), torch.cat([part.tokens for part in features]).to(embeds))
            if features[0].deep:
                deep = [torch.cat(layers) for layers in zip(*(part.deep for part in features), strict=True)]
                more = {"visual_pos_masks": seen.to(self._device)[None], "deepstack_visual_embeds": deep}
        layout = Layout(self._slots, [row.filled for row in decoding], laid, self._causal)
        hidden = self._hidden(embeds, positions.to(self._device), layout, **more)
        complete = [(row, chunk) for (row, tokens), chunk in zip(chunks, laid, strict=True) if tokens == row.left]
        wanted = [*range(len(decoding)), *(chunk.end - 1 for _, chunk in complete)]
        if not wanted:
            return []
        # The last layer may be on another device than the first.
        logits = self._head(hidden[torch.tensor(wanted, device=hidden.device)]).to(self._device)
        return choose_all([row.sampler for row in (*decoding, *(row for row, _ in complete))], logits)


def _lay_out(
    rows: list[Row], decoding: list[Row], chunks: list[tuple[Row, int]]
) -> tuple[torch.Tensor, torch.Tensor, list[Chunk]]:
    """Ids (N,) and positions (1, N) or (4, 1, N) of the packed axis, and where on it the chunks lie."""
    ids = [torch.tensor([row.sequence.computed[-1] for row in decoding], dtype=torch.long)]
    positions = [row.sequence.prompt.position(row.filled) for row in decoding]
    laid = []
    at = len(decoding)
    for row, tokens in chunks:
        prompt, here = row.sequence.prompt, slice(row.filled, row.filled + tokens)
        ids.append(torch.where(prompt.placeholders[here], 0, prompt.ids[0, here]))
        positions.append(prompt.positions[..., here])
        laid.append(Chunk(at, at + tokens, rows.index(row), row.filled))
        at += tokens
    return torch.cat(ids), torch.cat(positions, -1), laid
