"""Keeps people's words words: text that looks like a control token is changed so that it is none.

A typed `<|image|>` would fail the request, and a typed `<|user|>` would put words into other mouths. A space after
the first character keeps such text readable (`< |image|>`) and makes it ordinary. What counts is what the tokenizer
makes of the text, so that its own normalisation (full-width letters, white space …) opens no way around.
"""

from typing import Any

from core.inference.panic import panics_as_errors

# Each round breaks every control token that is left; text that resists so often is built to resist.
_ROUNDS = 4


class Neutraliser:
    """Bound to one tokenizer (a fast one: it must tell where in the text a token came from). Thread-safe."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        # White space as a token of its own (Gemma's "\n\n") controls nothing; "unknown" stands for any odd character.
        words = {id for id, token in tokenizer.added_tokens_decoder.items() if token.content.strip()}
        self.control_ids = frozenset((words | set(tokenizer.all_special_ids)) - {tokenizer.unk_token_id})

    def __call__(self, text: str) -> str:
        """`text`, changed only where the tokenizer would find a token of `control_ids` in it.

        Raises:
            InferenceError: the tokenizer cannot read `text` at all.
        """
        # Lone surrogates are no Unicode text and no tokenizer takes them.
        text = text.encode("utf-8", "replace").decode("utf-8")
        for _ in range(_ROUNDS):
            spans = self._control_spans(text)
            if not spans:
                return text
            text = _rebuild(text, spans, _broken)
        while spans := self._control_spans(text):
            text = _rebuild(text, spans, lambda _: "")
        return text

    def _control_spans(self, text: str) -> list[tuple[int, int]]:
        """Where in `text` control tokens come from: (start, end) in characters, ascending, not overlapping."""
        if not text:
            return []
        with panics_as_errors():
            encoded = self._tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        found = zip(encoded["input_ids"], encoded["offset_mapping"], strict=True)
        spans: list[tuple[int, int]] = []
        for start, end in sorted({(int(a), int(b)) for id, (a, b) in found if id in self.control_ids}):
            if not spans or start >= spans[-1][1]:
                spans.append((start, max(end, start + 1)))
        return spans


def _broken(piece: str) -> str:
    """A space after the first character that is none itself."""
    start = len(piece) - len(piece.lstrip()) + 1
    return f"{piece[:start]} {piece[start:]}"


def _rebuild(text: str, spans: list[tuple[int, int]], change: Any) -> str:
    parts, at = [], 0
    for start, end in spans:
        parts += [text[at:start], change(text[start:end])]
        at = end
    return "".join([*parts, text[at:]])
