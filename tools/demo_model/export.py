"""Writes a trained run as a model folder that transformers loads like any other."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from tokenizers import Tokenizer
from transformers import (
    GenerationConfig,
    Glm4vConfig,
    Glm4vForConditionalGeneration,
    Glm4vImageProcessorPil,
    Glm4vVisionConfig,
    PreTrainedTokenizerFast,
)

from .language import sections
from .layers import Shape
from .lexicon import COLOURS
from .picture import MAX_PIXELS, MEAN, MIN_PIXELS, PATCH, STD, draw
from .scenes import Scene, Thing
from .vision import SQUARE
from .vocabulary import MAX_TOKENS, wrap

# Written by hand or by other commands, and kept when the weights are replaced.
KEPT = ("MODEL_CARD.md", "evaluation.json")
SAMPLE_SIZE = 480


def export(run: Path, to: Path) -> None:
    """Replace the folder `to` by the weights of `run`'s checkpoint, in bfloat16, with everything that a Glm4vProcessor
    folder holds and a sample picture."""
    state = torch.load(run / "checkpoint.pt", map_location="cpu")
    tokenizer = wrap(Tokenizer.from_file(str(run / "tokenizer.json")))
    part = to.with_name(to.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)

    model = as_glm4v(state["network"], Shape(**state["shape"]), tokenizer)
    torch.nn.Module.to(model, torch.bfloat16)
    model.generation_config = _generation(tokenizer)
    model.save_pretrained(part)
    tokenizer.save_pretrained(part)
    _forget_origin(part / "tokenizer_config.json")
    image_processor().save_pretrained(part)
    _write_json(part / "processor_config.json", {"processor_class": "Glm4vProcessor"})
    _write_json(part / "video_preprocessor_config.json", _video_processor())
    sample = draw(sample_scene(), (4 * SAMPLE_SIZE, 4 * SAMPLE_SIZE), turn=0.0).image
    sample.resize((SAMPLE_SIZE, SAMPLE_SIZE), Image.Resampling.LANCZOS).save(part / "sample.png", optimize=True)
    for name in KEPT:
        if (to / name).exists():
            shutil.copy2(to / name, part / name)

    for path in part.iterdir():
        path.chmod(0o644)
    # Two renames: a reader finds the old folder or the new one, hardly ever none, never half.
    old = to.with_name(to.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if to.exists():
        to.rename(old)
    part.rename(to)
    shutil.rmtree(old, ignore_errors=True)
    size = (to / "model.safetensors").stat().st_size
    print(f"step {state['step']}, {state['minutes']:.1f} minutes: {size / 1e6:.1f} MB in {to}")


def as_glm4v(weights: dict[str, torch.Tensor], shape: Shape, tokenizer: PreTrainedTokenizerFast) -> Any:
    """The network as transformers knows it, in float32."""
    model = Glm4vForConditionalGeneration(build_config(shape, tokenizer))
    kept = {name: value for name, value in weights.items() if not name.startswith("helper.")}
    kept["lm_head.weight"] = kept["model.language_model.embed_tokens.weight"]
    model.load_state_dict(kept)
    return model.eval()


def build_config(shape: Shape, tokenizer: PreTrainedTokenizerFast) -> Glm4vConfig:
    """The configuration that belongs to `shape`; token ids come from `tokenizer`."""
    token: Any = tokenizer.convert_tokens_to_ids
    head = shape.width // shape.heads
    vision = Glm4vVisionConfig(
        depth=shape.vision_layers,
        hidden_size=shape.width,
        num_heads=shape.vision_heads,
        out_hidden_size=shape.width,
        intermediate_size=shape.merger_inner,
        image_size=SQUARE * PATCH,
        initializer_range=0.04,
    )
    return Glm4vConfig(
        text_config={
            "vocab_size": shape.vocabulary,
            "hidden_size": shape.width,
            "intermediate_size": shape.text_inner,
            "num_hidden_layers": shape.text_layers,
            "num_attention_heads": shape.heads,
            "num_key_value_heads": shape.key_heads,
            "max_position_embeddings": MAX_TOKENS,
            "initializer_range": 0.04,
            "pad_token_id": tokenizer.pad_token_id,
            "eos_token_id": [token("<|endoftext|>"), token("<|user|>")],
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 10000.0,
                "partial_rotary_factor": 0.5,
                "mrope_section": sections(head // 4),
            },
        },
        vision_config=vision.to_dict(),
        image_token_id=token("<|image|>"),
        video_token_id=token("<|video|>"),
        image_start_token_id=token("<|begin_of_image|>"),
        image_end_token_id=token("<|end_of_image|>"),
        video_start_token_id=token("<|begin_of_video|>"),
        video_end_token_id=token("<|end_of_video|>"),
        tie_word_embeddings=True,
    )


def image_processor() -> Glm4vImageProcessorPil:
    """The processor whose result `picture.for_training` reproduces: 52 to 68 image tokens a picture."""
    return Glm4vImageProcessorPil(
        size={"shortest_edge": MIN_PIXELS, "longest_edge": MAX_PIXELS},
        image_mean=list(MEAN),
        image_std=list(STD),
    )


def sample_scene() -> Scene:
    """The service's demo picture: a red star in the top left, and three things more."""
    chosen = (
        ("star", "red", 0, 0.18, 0.18, 0.14, -6.0),
        ("circle", "blue", 2, 0.82, 0.17, 0.12, 0.0),
        ("heart", "pink", 4, 0.5, 0.51, 0.14, 5.0),
        ("triangle", "green", 7, 0.51, 0.83, 0.13, -4.0),
    )
    things = tuple(
        Thing(name, (x - r, y - r, x + r, y + r), cell, colour, turn=turn, rgb=COLOURS[colour])
        for name, colour, cell, x, y, r, turn in chosen
    )
    return Scene("shapes", things, random.Random("sample").randrange(1 << 30))


def _forget_origin(path: Path) -> None:
    """Take out what transformers notes about where the tokenizer was loaded from."""
    values = json.loads(path.read_text(encoding="utf-8"))
    _write_json(path, {k: v for k, v in values.items() if k not in ("is_local", "local_files_only")})


def _generation(tokenizer: PreTrainedTokenizerFast) -> GenerationConfig:
    token: Any = tokenizer.convert_tokens_to_ids
    return GenerationConfig(
        do_sample=False,
        max_new_tokens=320,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=[token("<|endoftext|>"), token("<|user|>")],
        suppress_tokens=[token("<|image|>"), token("<|video|>")],
    )


def _video_processor() -> dict[str, Any]:
    """Only so that `AutoProcessor` finds a complete folder; the model was never shown a video."""
    return {
        "video_processor_type": "Glm4vVideoProcessor",
        "processor_class": "Glm4vProcessor",
        "size": {"shortest_edge": MIN_PIXELS, "longest_edge": MAX_PIXELS},
        "image_mean": list(MEAN),
        "image_std": list(STD),
    }


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
