"""Builds a model's processor for pictures alone, on Pillow.

`AutoProcessor` refuses a processor that also takes videos unless torchvision is there, and uses torchvision for
pictures when it is. Pillow gives slightly different pixels, so one of the two has to be chosen for good: Pillow, which
needs nothing more and is already there.
"""

from pathlib import Path
from typing import Any

from transformers import AutoFeatureExtractor, AutoImageProcessor, AutoTokenizer
from transformers.image_processing_base import ImageProcessingMixin
from transformers.models.auto import processing_auto
from transformers.processing_utils import ProcessorMixin
from transformers.video_processing_utils import VideoProcessorMixin

from core.errors import ModelLoadError
from core.inference.families import family_of
from core.inference.pixel_budget import PIXEL_BUDGET
from core.inference.tiles_lfm2 import Lfm2VlImageProcessor
from core.inference.tiles_phi4 import Phi4MultimodalImageProcessor

# Those that transformers has for torchvision only.
_OURS: dict[str, Any] = {kind.__name__: kind for kind in (Phi4MultimodalImageProcessor, Lfm2VlImageProcessor)}
_BY_MODEL_TYPE: dict[str, str | None] = vars(processing_auto)["PROCESSOR_MAPPING_NAMES"]


class NoVideo(VideoProcessorMixin):
    """Stands where a processor wants a video processor. No message holds a video, so nothing calls it."""

    model_input_names: list[str] = []
    # SmolVLM reads these for any conversation.
    num_frames = None
    fps = None


def load_tokenizer(folder: Path) -> Any:
    """The tokenizer of the checkpoint in `folder`.

    Raises:
        ModelLoadError: it has none, or one that cannot tell where in a text its tokens came from.
    """
    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    if not tokenizer.is_fast:
        raise ModelLoadError(f"{folder} has no tokenizer.json, only a tokenizer in Python code.")
    return tokenizer


def load_processor(folder: Path, model_type: str, tokenizer: Any) -> Any:
    """The processor of the checkpoint in `folder`, with `tokenizer` inside.

    Raises:
        ModelLoadError: transformers knows no processor for this kind of model.
    """
    settings, _ = ProcessorMixin.get_processor_dict(folder)
    kind = _kind(settings.get("processor_class")) or _kind(_BY_MODEL_TYPE.get(model_type))
    if kind is None:
        raise ModelLoadError(f"{folder}: no processor for pictures is known for models of type {model_type!r}.")
    parts = [_part(name, folder, tokenizer) for name in kind.get_attributes()]
    processor = pictures_only(kind).from_args_and_dict(parts, settings)
    family = family_of(model_type)
    if family.limit is not None:
        family.limit(processor.image_processor, PIXEL_BUDGET)
    if not processor.chat_template:
        processor.chat_template = tokenizer.chat_template or family.template or None
    return processor


def _kind(class_name: str | None) -> Any:
    return processing_auto.processor_class_from_name(class_name) if class_name else None


def _part(name: str, folder: Path, tokenizer: Any) -> Any:
    if name == "tokenizer":
        return tokenizer
    if name == "image_processor":
        settings, _ = ImageProcessingMixin.get_image_processor_dict(folder)
        if (ours := _OURS.get(settings.get("image_processor_type", "").removesuffix("Fast"))) is not None:
            return ours.from_pretrained(folder)
        return AutoImageProcessor.from_pretrained(folder, backend="pil", trust_remote_code=False)
    if name == "video_processor":
        return NoVideo()
    return AutoFeatureExtractor.from_pretrained(folder, trust_remote_code=False)


def pictures_only(kind: Any) -> Any:
    """The processor class `kind`, but it takes `NoVideo` for a video processor, and our image processors."""

    def check_argument_for_proper_class(self: Any, name: str, argument: object) -> object:
        if isinstance(argument, (NoVideo, *_OURS.values())):
            return type(argument)
        return kind.check_argument_for_proper_class(self, name, argument)

    # The same name, because transformers looks at it.
    return type(kind.__name__, (kind,), {"check_argument_for_proper_class": check_argument_for_proper_class})
