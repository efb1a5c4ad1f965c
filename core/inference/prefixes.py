"""What was computed of conversations, kept for their next turn."""

from dataclasses import dataclass

import torch

from core.inference.byte_lru import ByteLru
from core.inference.render import Prompt
from core.inference.slots import SavedTokens


@dataclass(frozen=True, slots=True)
class _Prefix:
    marks: torch.Tensor
    saved: SavedTokens


class PrefixCache:
    """Keys and values of each scope's last sequence. Scopes never see each other's. Not thread-safe.

    Lengths are in tokens; `reused` of the `asked` tokens of all prompts so far did not have to be computed.
    """

    def __init__(self, budget: int) -> None:
        self.cache: ByteLru[str, _Prefix] = ByteLru(budget)
        self.reused = 0
        self.asked = 0

    def find(self, scope: str, marks: torch.Tensor) -> tuple[SavedTokens, int] | None:
        """What is kept of a prompt's beginning, and how much of it: less than the prompt, so that something is left
        to compute the next token from. `marks` as `marks_of` gives them."""
        self.asked += len(marks)
        prefix = self.cache.get(scope)
        if prefix is None:
            return None
        most = min(len(prefix.marks), len(marks) - 1)
        other = (prefix.marks[:most] != marks[:most]).nonzero()
        same = int(other[0]) if len(other) else most
        self.reused += same
        return (prefix.saved, same) if same else None

    def keep(self, scope: str, marks: torch.Tensor, saved: SavedTokens) -> None:
        """Remember what was computed for the tokens `marks`."""
        self.cache.put(scope, _Prefix(marks, saved), saved.bytes)


def marks_of(prompt: Prompt) -> torch.Tensor:
    """(L,) numbers that are equal where prompts are equal: ids, and for a picture's tokens something of the picture."""
    marks = prompt.ids[0].clone()
    if prompt.pictures:
        # Negative, so that none of them is an id. 60 bits of a SHA-256 tell the pictures of a conversation apart.
        of_pictures = [torch.full((p.tokens,), -1 - int(p.key[:15], 16)) for p in prompt.pictures]
        marks[prompt.placeholders] = torch.cat(of_pictures)
    return marks
