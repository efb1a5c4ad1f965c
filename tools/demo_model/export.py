"""Writes a trained run as a model folder that transformers loads like any other."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from transformers import GenerationConfig, Glm4vImageProcessorPil, PreTrainedTokenizerFast

from .model import Trainee
from .pixels import MAX_PIXELS, MEAN, MIN_PIXELS, STD
from .scenes import COLOURS, Scene, Thing, render
from .train import load_tokenizer

# Written by hand or by other commands, and kept when the weights are replaced.
KEPT = ("MODEL_CARD.md", "evaluation.json")
SAMPLE_SIZE = 480


def export(run: Path, to: Path) -> None:
    """Replace the folder `to` by the averaged weights of `run`'s checkpoint, in bfloat16, with
    everything that a Glm4vProcessor folder holds and a sample picture."""
    tokenizer = load_tokenizer(run)
    state = torch.load(run / "checkpoint.pt", map_location="cpu")
    trainee = Trainee(tokenizer)
    trainee.load_state_dict(state["average"])
    part = to.with_name(to.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)

    model = trainee.glm
    torch.nn.Module.to(model, torch.bfloat16)
    model.generation_config = _generation(tokenizer)
    model.save_pretrained(part)
    tokenizer.save_pretrained(part)
    _forget_origin(part / "tokenizer_config.json")
    image_processor().save_pretrained(part)
    _write_json(part / "processor_config.json", {"processor_class": "Glm4vProcessor"})
    _write_json(part / "video_preprocessor_config.json", _video_processor())
    render(sample_scene(), SAMPLE_SIZE, SAMPLE_SIZE, supersample=4).save(part / "sample.png", optimize=True)
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


def image_processor() -> Glm4vImageProcessorPil:
    """The processor whose result `pixels` reproduces: about 25 image tokens a picture."""
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
    things = tuple(Thing(s, c, cell, x, y, r, turn, COLOURS[c]) for s, c, cell, x, y, r, turn in chosen)
    return Scene(things, ((248, 246, 240), (235, 238, 242)))


def _forget_origin(path: Path) -> None:
    """Take out what transformers notes about where the tokenizer was loaded from."""
    values = json.loads(path.read_text(encoding="utf-8"))
    _write_json(path, {k: v for k, v in values.items() if k not in ("is_local", "local_files_only")})


def _generation(tokenizer: PreTrainedTokenizerFast) -> GenerationConfig:
    token = tokenizer.convert_tokens_to_ids
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
