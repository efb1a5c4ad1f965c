"""Packed weights, and bfloat16 on a CPU, where attention is computed as products: checked with a model that knows
what it says."""

import io
import random
from hashlib import sha256
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F

from core.inference.loader import LoadedModel, load_model
from core.inference.packed import pack_linears
from core.inference.port import Message, Picture, Sampling
from core.inference.products import NAME, use_in_towers
from core.inference.ragged import Chunk, Layout, computing, ragged_attention
from core.inference.render import Renderer
from core.inference.slots import KvSlots, LayerShape
from core.inference.stepper import RoundRobinStepper, Sequence
from core.settings import load_settings
from tests.integration.inference.checkpoints import FAMILIES, TEXT_ONLY
from tests.integration.inference.conftest import CheckpointOf
from tests.integration.inference.steppers import batch_stepper
from tests.integration.inference.test_batch import finish
from tests.integration.inference.test_families import conversations
from tools.demo_model.picture import draw
from tools.demo_model.scenes import sample

# More than decode at once before rows are computed as products.
PICTURES = 12
QUESTIONS = ("Describe the picture.", "How many shapes are there?")


def _picture(seed: int) -> Picture:
    file = io.BytesIO()
    draw(sample("shapes", random.Random(seed)), (336, 336)).image.save(file, "PNG")
    return Picture(sha256(file.getvalue()).hexdigest(), file.getvalue(), 336, 336)


def _answers(dtype: str, *, packed: bool, chunk_tokens: int = 512) -> list[str]:
    loaded = load_model(load_settings(_env_file=None, model="demo", device="cpu", dtype=dtype))
    if packed:
        assert pack_linears(loaded.model, pays=lambda weight: True) > 0
        use_in_towers(loaded.model)
    renderer, stepper = Renderer(loaded), batch_stepper(loaded, tokens=16_384, chunk_tokens=chunk_tokens)
    asked = [
        Sequence(renderer((Message("user", question, (_picture(seed),)),)), Sampling(), 24)
        for seed in range(PICTURES)
        for question in QUESTIONS
    ]
    for sequence in asked:
        stepper.add(sequence)
    finish(stepper, *asked)
    ends = loaded.vocabulary.ends
    said = []
    for sequence in asked:
        length = next((n for n, id in enumerate(sequence.computed) if id in ends), len(sequence.computed))
        said.append(loaded.tokenizer.decode(sequence.computed[:length]))
    return said


@pytest.fixture(scope="module")
def plain() -> list[str]:
    return _answers("float32", packed=False)


def test_packed_weights_say_the_same(plain: list[str]) -> None:
    assert len(set(plain)) > PICTURES
    assert _answers("float32", packed=True) == plain


@pytest.mark.parametrize("chunk_tokens", [512, 40])
def test_half_precision_sees_the_same(plain: list[str], chunk_tokens: int) -> None:
    """Not every word must be the same, but what is not must be rare: a picture on the border of two answers."""
    said = _answers("bfloat16", packed=True, chunk_tokens=chunk_tokens)
    assert sum(a == b for a, b in zip(said, plain, strict=True)) >= len(plain) - 2


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_prompt_that_looks_both_ways_does_so_in_any_precision(dtype: torch.dtype) -> None:
    chance = torch.Generator().manual_seed(1)
    query = torch.randn(1, 4, 40, 8, generator=chance).to(dtype)
    key, value = (torch.randn(1, 2, 40, 8, generator=chance).to(dtype) for _ in range(2))
    slots = KvSlots([LayerShape(2, 8, 8)], 256, dtype, torch.device("cpu"))
    with computing(Layout(slots, [], [Chunk(0, 40, 0, 0)], causal=False)):
        made, _ = ragged_attention(SimpleNamespace(layer_idx=0), query, key, value, None, scaling=8**-0.5)
    whole = F.scaled_dot_product_attention(query.float(), key.float(), value.float(), enable_gqa=True).transpose(1, 2)
    torch.testing.assert_close(made.float(), whole, atol=0.05, rtol=0.05)


def _said(loaded: LoadedModel) -> list[list[int]]:
    """What transformers' own forward pass says in the longest conversations."""
    render, stepper = Renderer(loaded), RoundRobinStepper(loaded)
    asked = [Sequence(render(messages), Sampling(), 3) for messages in list(conversations(loaded.name).values())[1:3]]
    for sequence in asked:
        stepper.add(sequence)
    finish(stepper, *asked)
    return [sequence.computed for sequence in asked]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_goes_with_it(checkpoint: CheckpointOf, family: str) -> None:
    loaded = load_model(load_settings(_env_file=None, model=str(checkpoint(family)), device="cpu", dtype="float32"))
    text = loaded.model.config.get_text_config()
    before, said = text._attn_implementation, _said(loaded)
    assert pack_linears(loaded.model, pays=lambda weight: True) > 0
    use_in_towers(loaded.model)
    used = {getattr(getattr(module, "config", None), "_attn_implementation", "") for module in loaded.model.modules()}
    assert (NAME in used) == (family not in TEXT_ONLY)
    assert text._attn_implementation == before
    assert _said(loaded) == said
