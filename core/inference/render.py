"""Messages to what the model reads: the chat template, the pictures' patches, and every token's position."""

import inspect
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jinja2 import TemplateError
from PIL import Image

from core.errors import GlimtError, InferenceError, NoEyes
from core.inference.families import family_of
from core.inference.loader import LoadedModel
from core.inference.neutralise import Neutraliser
from core.inference.panic import panics_as_errors
from core.inference.port import Message
from core.inference.thinking import OPEN

# The prompt's last tokens, enough to hold an opening tag in pieces.
_TAIL = 8
# Times its breadth. GLM and Qwen refuse pictures that are longer than 200 times.
_LONGEST = 50


@dataclass(frozen=True, slots=True)
class PromptPicture:
    """One picture of a prompt: its key, what the vision tower takes of it, and how many tokens stand for it."""

    key: str
    inputs: dict[str, torch.Tensor]
    tokens: int


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt of L tokens, on the CPU.

    `ids`: (1, L). `placeholders`: (L,) which of them stand for pictures. `inputs`: what else the model's forward takes
    for the pictures; `pictures`: the same, picture by picture, for families that compute many sequences in a step.
    `positions`: (1, L), or (4, 1, L) for models whose pictures have positions in three dimensions: text position, time,
    height, width. `shift`: what the token at place n adds to n in those three, or in the only one. `thinking`: the
    prompt ends inside an open thought. `box_pixels`: width and height of the last picture as the model sees it, where
    it counts boxes in those.
    """

    ids: torch.Tensor
    placeholders: torch.Tensor
    inputs: dict[str, torch.Tensor]
    pictures: tuple[PromptPicture, ...]
    positions: torch.Tensor
    shift: int
    thinking: bool
    box_pixels: tuple[int, int] | None = None

    @property
    def tokens(self) -> int:
        """L."""
        return self.ids.shape[1]

    @property
    def picture_tokens(self) -> int:
        """How many of them stand for pictures."""
        return int(self.placeholders.sum())

    def position(self, place: int) -> torch.Tensor:
        """Position of the token generated at `place` (>= L): (1, 1) or (4, 1, 1)."""
        shifted = place + self.shift
        if self.positions.ndim == 2:
            return torch.tensor([[shifted]])
        return torch.tensor([place, shifted, shifted, shifted]).view(4, 1, 1)


class Renderer:
    """Renders prompts of one model. Thread-safe; each call stands for itself, so one bad prompt fails alone."""

    def __init__(self, loaded: LoadedModel) -> None:
        self._loaded = loaded
        self._neutralise = Neutraliser(loaded.tokenizer)
        # Labels are for training; PaliGemma's processor makes some all the same.
        self._forward = _parameters(loaded.model.forward) - {"input_ids", "attention_mask", "labels"}
        # Only models with three-dimensional positions have this.
        self._rope_index = getattr(getattr(loaded.model, "model", None), "get_rope_index", None)
        self._rope_inputs = _parameters(self._rope_index)
        self._placeholders = torch.tensor(sorted(loaded.vocabulary.pictures), dtype=torch.long)
        self._family = family_of(loaded.model.config.model_type)
        self._vision_inputs = _parameters(getattr(getattr(loaded.model, "model", None), "get_image_features", None))
        if not self._vision_inputs and loaded.processor is not None:
            self._vision_inputs = set(loaded.processor.image_processor.model_input_names)
        self._knows_thinking = "enable_thinking" in loaded.template
        self._knows_system = self._accepts_system()

    def __call__(self, messages: Sequence[Message], reasoning: bool = False) -> Prompt:
        """Render `messages` and the beginning of the answer.

        Raises:
            NoEyes: there are pictures, and the model reads text only.
            InferenceError: this prompt cannot be rendered (a picture that the processor refuses, an order of roles that
                the template refuses).
        """
        try:
            with panics_as_errors():
                return self._prompt(messages, reasoning)
        except GlimtError:
            raise
        except Exception as error:
            raise InferenceError(f"the prompt cannot be rendered ({type(error).__name__}: {error})") from error

    @property
    def counts(self) -> bool:
        """Whether the processor knows the number of a picture's placeholders without making them."""
        return self._family.counts and self._loaded.processor is not None

    def placeholders(self, width: int, height: int) -> int:
        """What it knows of a picture of this size. Only where it `counts`."""
        assert self._loaded.processor is not None
        told = self._loaded.processor._get_num_multimodal_tokens(image_sizes=[(height, width)])
        return int(told["num_image_tokens"][0])

    def words(self, text: str) -> int:
        """Tokens of a text by itself, as it stands in a prompt.

        Raises:
            InferenceError: the tokenizer cannot read it.
        """
        with panics_as_errors():
            ids = self._loaded.tokenizer(self._neutralise(text), add_special_tokens=False, verbose=False)["input_ids"]
        return len(ids)

    def _prompt(self, messages: Sequence[Message], reasoning: bool) -> Prompt:
        if not self._knows_system:
            messages = _fold_system(messages)
        features = self._encode(messages, reasoning)
        ids = features["input_ids"]
        positions, shift = self._positions(ids, features)
        tail = self._loaded.tokenizer.decode(ids[0, -_TAIL:].tolist())
        placeholders = torch.isin(ids[0], self._placeholders)
        return Prompt(
            ids=ids,
            placeholders=placeholders,
            inputs={name: value for name, value in features.items() if name in self._forward},
            pictures=self._pictures(messages, ids[0], placeholders, features),
            positions=positions,
            shift=shift,
            thinking=tail.rstrip().endswith(OPEN),
            box_pixels=self._box_pixels(features),
        )

    def _box_pixels(self, features: dict[str, torch.Tensor]) -> tuple[int, int] | None:
        if not self._family.box_pixels or "image_grid_thw" not in features or self._loaded.processor is None:
            return None
        _, rows, columns = features["image_grid_thw"][-1].tolist()
        side = self._loaded.processor.image_processor.patch_size
        return columns * side, rows * side

    def _pictures(
        self,
        messages: Sequence[Message],
        ids: torch.Tensor,
        placeholders: torch.Tensor,
        features: dict[str, torch.Tensor],
    ) -> tuple[PromptPicture, ...]:
        keys = [picture.key for message in messages for picture in message.pictures]
        if self._family.split is None or not keys:
            return ()
        inputs = {name: value for name, value in features.items() if name in self._vision_inputs}
        parts = self._family.split(inputs, ids, placeholders, len(keys))
        return tuple(PromptPicture(key, part, tokens) for key, (part, tokens) in zip(keys, parts, strict=True))

    def _encode(self, messages: Sequence[Message], reasoning: bool) -> dict[str, torch.Tensor]:
        template = self._loaded.processor or self._loaded.tokenizer
        chat: list[dict[str, Any]]
        if self._loaded.processor is None:
            if any(message.pictures for message in messages):
                raise NoEyes(f"{self._loaded.name} reads text only: set GLIMT_EYES to a model that sees pictures")
            chat = [{"role": message.role, "content": self._neutralise(message.text)} for message in messages]
        else:
            chat = [{"role": message.role, "content": self._content(message)} for message in messages]
        variables = {"enable_thinking": reasoning} if self._knows_thinking else {}
        if self._family.bare and not any(message.pictures for message in messages):
            return self._encode_bare(chat, variables)
        encoded = template.apply_chat_template(
            chat, add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt", **variables
        )
        return dict(encoded)

    def _encode_bare(self, chat: list[dict[str, Any]], variables: dict[str, Any]) -> dict[str, torch.Tensor]:
        """A prompt without pictures, for a processor that takes none of that kind."""
        processor, tokenizer = self._loaded.processor, self._loaded.tokenizer
        assert processor is not None
        text = processor.apply_chat_template(chat, add_generation_prompt=True, tokenize=False, **variables)
        written = self._family.bare.format(bos=tokenizer.bos_token or "", text=text)
        return dict(
            tokenizer(written, add_special_tokens=False, return_token_type_ids=True, return_tensors="pt", verbose=False)
        )

    def _content(self, message: Message) -> list[dict[str, Any]]:
        content: list[dict[str, Any]] = [{"type": "image", "image": _decode(p.data)} for p in message.pictures]
        if message.text or not content:
            content.append({"type": "text", "text": self._neutralise(message.text)})
        return content

    def _positions(self, ids: torch.Tensor, features: dict[str, torch.Tensor]) -> tuple[torch.Tensor, int]:
        places = torch.arange(ids.shape[1])[None]
        if self._rope_index is None:
            return places + self._family.first_position, self._family.first_position
        if "image_grid_thw" not in features:
            return places.expand(4, 1, -1), 0
        inputs = {name: value for name, value in features.items() if name in self._rope_inputs}
        seen, shift = self._rope_index(**inputs)
        return torch.cat([places[None], seen]), int(shift)

    def _accepts_system(self) -> bool:
        """Whether the template shows what a system message says. Some refuse it, some leave it out in silence."""
        template = self._loaded.processor or self._loaded.tokenizer
        says = "Seven zebras."
        content = says if self._loaded.processor is None else [{"type": "text", "text": says}]
        chat = [{"role": "system", "content": content}, {"role": "user", "content": content}]
        try:
            return str(template.apply_chat_template(chat, tokenize=False)).count(says) == len(chat)
        except TemplateError:
            return False


def _parameters(function: Any) -> set[str]:
    return set(inspect.signature(function).parameters) if function else set()


def _fold_system(messages: Sequence[Message]) -> list[Message]:
    """`messages` with what the system says put before the next message's text."""
    folded: list[Message] = []
    before = ""
    for message in messages:
        if message.role == "system":
            before += message.text + "\n\n"
        else:
            folded.append(Message(message.role, before + message.text, message.pictures))
            before = ""
    return folded


def _decode(data: bytes) -> Image.Image:
    """RGB; what is transparent becomes white, and a strip gets white beside it until it is short enough."""
    picture: Image.Image = Image.open(io.BytesIO(data))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    picture = picture.convert("RGB")
    size = padded_size(*picture.size)
    if picture.size == size:
        return picture
    padded = Image.new("RGB", size, "white")
    padded.paste(picture)
    return padded


def padded_size(width: int, height: int) -> tuple[int, int]:
    """Width and height of a picture as the processor gets it."""
    least = math.ceil(max(width, height) / _LONGEST)
    return max(width, least), max(height, least)
