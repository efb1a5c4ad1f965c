"""Which of a model's tokens mean something special."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from transformers import PreTrainedConfig

from core.conversation.boxes import is_mark
from core.inference.thinking import CLOSE, OPEN

_MODALITY = re.compile(r"(image|video|audio|vision|boi|eoi|boa|eoa).*token_(id|index)$")

# Templates may put these together from the names of roles.
_ROLES = ("<|system|>", "<|user|>", "<|assistant|>")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Sets of token ids.

    `ends`: the model's own end. `suppressed`: never generated, because only a prompt may hold them (placeholders of
    pictures, marks of turns and roles). `hidden`: generated but no text. `pictures`: placeholders of picture patches.
    """

    ends: frozenset[int]
    suppressed: frozenset[int]
    hidden: frozenset[int]
    pictures: frozenset[int]


def read_vocabulary(config: Any, generation_config: Any, tokenizer: Any, template: str) -> Vocabulary:
    """Derive the sets from a checkpoint: ids come from its configuration, never from a family's defaults."""
    added: dict[int, Any] = tokenizer.added_tokens_decoder
    named = {token.content: id for id, token in added.items()}
    thinking = {named[tag] for tag in (OPEN, CLOSE) if tag in named}
    # Those reach the text, where boxes are read from them.
    boxes = {id for content, id in named.items() if is_mark(content)}
    text_config = config.get_text_config()
    ends = _ids(generation_config.eos_token_id, text_config.eos_token_id, tokenizer.eos_token_id)
    # Phi-4 names them in the configurations of its towers.
    towers = [part for part in vars(config).values() if isinstance(part, PreTrainedConfig)]
    naming = [config] if _pictures(config) else towers
    modality = _ids(*(getattr(part, name) for part in naming for name in vars(part) if _MODALITY.search(name)))
    # What the template writes to shape a prompt is not the model's to write.
    structure = {id for content, id in named.items() if content.strip() and (content in template or content in _ROLES)}
    asked = _ids(generation_config.suppress_tokens)
    pictures: set[int] = set().union(*(_pictures(part) for part in naming))
    suppressed = (modality | structure | asked | _ids(tokenizer.bos_token_id)) - ends - thinking - boxes
    return Vocabulary(
        ends=frozenset(ends),
        # A configuration may name tokens of a sense that this checkpoint does not have.
        suppressed=frozenset(id for id in suppressed if id < text_config.vocab_size),
        hidden=frozenset((ends | {id for id, token in added.items() if token.special}) - thinking - boxes),
        pictures=frozenset(pictures),
    )


def _pictures(config: Any) -> set[int]:
    return _ids(getattr(config, "image_token_id", None), getattr(config, "image_token_index", None))


def _ids(*values: int | Iterable[int] | None) -> set[int]:
    ids: set[int] = set()
    for value in values:
        if isinstance(value, int):
            ids.add(value)
        elif value is not None:
            ids.update(value)
    return ids
