"""Pictures that are seen at once, and what stands in for transformers' own parts on a GPU, as far as a CPU can tell."""

from collections.abc import Iterator

import pytest
import torch

from core.inference import flash
from core.inference.families import family_of
from core.inference.loader import LoadedModel, load_model
from core.inference.norms import FusedRmsNorm, fuse_norms
from core.inference.pictures import MOST_TOGETHER, PictureEncoder
from core.inference.port import Message
from core.inference.products import use_in_towers
from core.inference.render import PromptPicture, Renderer
from core.settings import load_settings
from tests.integration.inference.checkpoints import BATCHED, TEXT_ONLY
from tests.integration.inference.conftest import CheckpointOf, black, noise

CPU = torch.device("cpu")
SIZES = [(84, 56), (56, 112), (112, 112), (84, 56)]
SEEING = [family for family in BATCHED if family not in TEXT_ONLY]
GRIDS = ["qwen2_vl", "qwen2_5_vl", "qwen3_vl", "glm4v", "glm_ocr"]


def fresh(checkpoint: CheckpointOf, family: str) -> LoadedModel:
    return load_model(load_settings(_env_file=None, model=str(checkpoint(family)), device="cpu", dtype="float32"))


def pictures(loaded: LoadedModel) -> list[PromptPicture]:
    render = Renderer(loaded)
    return [render([Message("user", "?", (noise(*size, n),))]).pictures[0] for n, size in enumerate(SIZES)]


@pytest.fixture(autouse=True)
def no_gradients() -> Iterator[None]:
    with torch.inference_mode():
        yield


@pytest.mark.parametrize("family", SEEING)
def test_pictures_seen_at_once_are_pictures_seen_alone(checkpoint: CheckpointOf, family: str) -> None:
    loaded = fresh(checkpoint, family)
    asked = [("tenant", picture) for picture in pictures(loaded)]
    alone = [PictureEncoder(loaded.model, CPU, 0)(*one) for one in asked]
    encoder = PictureEncoder(loaded.model, CPU, 2**24, together=True)
    at_once = encoder.encode_together(asked)
    if not family_of(loaded.model.config.model_type).joins:
        assert at_once == [None] * len(asked)
        return
    for one, other in zip(at_once, alone, strict=True):
        assert one is not None
        assert torch.allclose(one.tokens, other.tokens, atol=1e-4 * float(other.tokens.abs().max()))
        assert len(one.deep) == len(other.deep)
        for layer, other_layer in zip(one.deep, other.deep, strict=True):
            assert torch.allclose(layer, other_layer, atol=1e-4 * float(other_layer.abs().max()))
    # They are remembered as if each had been asked for.
    assert encoder.cache.misses == len(asked)
    assert all(encoder(*one) is features for one, features in zip(asked, at_once, strict=True))
    assert encoder.cache.hits == len(asked)
    assert encoder.encode_together(asked) == [None] * len(asked)


def test_a_picture_that_is_refused_leaves_all_to_be_encoded_alone(checkpoint: CheckpointOf) -> None:
    loaded = fresh(checkpoint, "qwen2_vl")
    dark = Renderer(loaded)([Message("user", "?", (black(84, 56),))]).pictures[0]

    def refuse(_module: object, args: tuple[torch.Tensor, ...], kwargs: dict[str, torch.Tensor]) -> None:
        pixels = args[0] if args else kwargs["hidden_states"]
        if min(patch.unique().numel() for patch in pixels) <= 3:
            raise RuntimeError("too dark")

    loaded.model.model.visual.register_forward_pre_hook(refuse, with_kwargs=True)
    encoder = PictureEncoder(loaded.model, CPU, 2**24, together=True)
    good = pictures(loaded)[:2]
    assert encoder.encode_together([("a", good[0]), ("a", dark), ("a", good[1])]) == [None] * 3
    assert len(encoder.cache) == 0
    assert len(encoder("a", good[0]).tokens) == good[0].tokens
    with pytest.raises(RuntimeError, match="too dark"):
        encoder("a", dark)


def test_only_so_many_tokens_are_seen_at_once(checkpoint: CheckpointOf) -> None:
    loaded = fresh(checkpoint, "qwen2_vl")
    picture = pictures(loaded)[0]
    seen: list[int] = []
    loaded.model.model.visual.register_forward_pre_hook(lambda _module, args: seen.append(len(args[0])))
    count = MOST_TOGETHER // picture.tokens + 1
    found = PictureEncoder(loaded.model, CPU, 0, together=True).encode_together([("", picture)] * count)
    # One is left over, and for one there is nothing to do together.
    assert [one is None for one in found] == [False] * (count - 1) + [True]
    assert seen == [4 * picture.tokens * (count - 1)]


@pytest.mark.parametrize("family", BATCHED)
def test_norms_in_one_operation_are_the_norms(checkpoint: CheckpointOf, family: str) -> None:
    loaded = fresh(checkpoint, family)
    norms = [m for m in loaded.model.modules() if type(m).__name__.endswith("RMSNorm")]
    x = {norm: torch.randn(3, norm.weight.numel()) for norm in norms}
    expected = [norm(x[norm]) for norm in norms]
    count = fuse_norms(loaded.model)
    # Gemma's add one to their weights.
    assert count == (0 if family == "paligemma" else len(norms))
    made = [m for m in loaded.model.modules() if isinstance(m, FusedRmsNorm)]
    assert len(made) == count
    for norm, other, before in zip(norms, made, expected, strict=False):
        assert torch.allclose(other(x[norm]), before, atol=1e-5)


@pytest.mark.parametrize("family", GRIDS)
def test_a_tower_that_says_where_pictures_end_sees_the_same(checkpoint: CheckpointOf, family: str) -> None:
    loaded = fresh(checkpoint, family)
    asked = [("", picture) for picture in pictures(loaded)]
    encoder = PictureEncoder(loaded.model, CPU, 0, together=True)
    before = encoder.encode_together(asked)
    use_in_towers(loaded.model, flash.NAME)
    assert loaded.model.config.vision_config._attn_implementation == flash.NAME
    assert loaded.model.config.get_text_config()._attn_implementation != flash.NAME
    for one, other in zip(encoder.encode_together(asked), before, strict=True):
        assert one is not None
        assert other is not None
        assert torch.allclose(one.tokens, other.tokens, atol=1e-4 * float(other.tokens.abs().max()))
