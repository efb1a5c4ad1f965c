"""The engine on a GPU. Everything here needs one."""

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import torch

from core.errors import InferenceError, OutOfMemory
from core.inference import flash
from core.inference.engine import TransformersEngine
from core.inference.graphs import CudaRecorder
from core.inference.loader import load_model
from core.inference.pictures import PictureEncoder
from core.inference.port import Message, Sampling
from core.inference.ragged import Chunk, Layout, computing, ragged_attention
from core.inference.render import Renderer
from core.inference.slots import KvSlots, LayerShape
from core.inference.stepper import Sequence as Sequence_
from core.inference.steppers import create_stepper
from core.settings import load_settings
from core.values import FinishReason
from tests.integration.inference.checkpoints import BATCHED, FAMILIES
from tests.integration.inference.conftest import CheckpointOf, EngineOf, black, noise
from tests.integration.inference.steppers import batch_stepper
from tests.integration.inference.test_batch import answer, sequence
from tests.integration.inference.test_families import ask_all, conversations, generate, readable
from tests.unit.inference.asking import asked, collect, end_of, gather, said

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device")

CUDA = torch.device("cuda", 0)
# In float32 transformers multiplies experts by sizes that it reads back from the GPU.
NOT_RECORDED = ("glm4v_moe", "glm4_moe_lite")


@pytest.fixture(scope="module")
def gpu_engine(checkpoint: CheckpointOf) -> Iterator[EngineOf]:
    """Gives a running engine with a family's tiny checkpoint on the GPU, in exact float32."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    running: dict[str, TransformersEngine] = {}

    def engine(family: str) -> TransformersEngine:
        if family not in running:
            settings = load_settings(
                _env_file=None, model=str(checkpoint(family)), device="cuda:0", dtype="float32", cache_mb=256
            )
            running[family] = TransformersEngine.load(settings)
        return running[family]

    yield engine
    for one in running.values():
        one.close()


@pytest.mark.parametrize("family", FAMILIES)
def test_interleaved_equals_generate_alone(gpu_engine: EngineOf, family: str) -> None:
    engine = gpu_engine(family)
    alone = {name: generate(engine, messages) for name, messages in conversations(family).items()}
    for name, events in asyncio.run(ask_all(engine, conversations(family))).items():
        assert said(events) == readable(engine, alone[name]), name
        assert end_of(events).completion_tokens == len(alone[name]), name


@pytest.mark.parametrize("family", BATCHED)
def test_recorded_steps_say_what_computed_ones_say(gpu_engine: EngineOf, family: str) -> None:
    engine = gpu_engine(family)
    told = []
    for record in (None, CudaRecorder(CUDA)):
        stepper = batch_stepper(engine._loaded, chunk_tokens=40, record=record)
        talks = [*conversations(family).values()] * 2
        sequences = [sequence(engine, talk, limit=6 + 3 * number) for number, talk in enumerate(talks)]
        answer(stepper, *sequences)
        told.append([one.computed for one in sequences])
    assert stepper.forward.graphs is not None
    print(
        family,
        "usable:",
        stepper.forward.graphs.usable,
        "played:",
        stepper.forward.graphs.played,
        "recordings:",
        len(stepper.forward.graphs),
    )
    assert told[0] == told[1]
    assert stepper.forward.graphs.usable == (family not in NOT_RECORDED)


def test_what_cannot_be_recorded_is_computed(gpu_engine: EngineOf) -> None:
    engine = gpu_engine("qwen2_vl")
    talks = [*conversations("qwen2_vl").values()]
    told = []

    def read_back(_module: object, args: tuple[torch.Tensor, ...]) -> None:
        args[0].sum().item()

    for record in (None, CudaRecorder(CUDA)):
        stepper = batch_stepper(engine._loaded, record=record)
        handle = engine._loaded.model.get_decoder().norm.register_forward_pre_hook(read_back)
        sequences = [sequence(engine, talk) for talk in talks]
        answer(stepper, *sequences)
        handle.remove()
        told.append([one.computed for one in sequences])
    assert stepper.forward.graphs is not None
    assert not stepper.forward.graphs.usable
    assert told[0] == told[1]
    # The next one is none the worse for it, and neither is anybody else.
    assert torch.rand(1, device=CUDA).item() < 1
    stepper = batch_stepper(engine._loaded, record=CudaRecorder(CUDA))
    sequences = [sequence(engine, talk) for talk in talks]
    answer(stepper, *sequences)
    assert [one.computed for one in sequences] == told[0]
    assert stepper.forward.graphs is not None
    assert stepper.forward.graphs.usable


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("causal", [True, False])
def test_prompts_in_one_call_are_prompts_in_a_call_each(dtype: torch.dtype, causal: bool) -> None:
    torch.manual_seed(0)
    chunks = [Chunk(0, 70, 0, 0), Chunk(70, 83, 2, 0), Chunk(83, 300, 1, 0), Chunk(300, 320, 3, 100)]
    query, key, value = (torch.randn(1, heads, 320, 64, device=CUDA, dtype=dtype) for heads in (6, 2, 2))
    kept = torch.randn(2, 2, 100, 64, device=CUDA, dtype=dtype)
    told = []
    for together in (True, False):
        slots = KvSlots([LayerShape(2, 64, 64)], 8 * 512, dtype, CUDA)
        slots.cut(512, 0)
        slots.keys[0][3, :, :100], slots.values[0][3, :, :100] = kept
        layout = Layout(slots, [], chunks, causal)
        assert (layout.fresh is not None) == (dtype == torch.bfloat16)
        if not together:
            layout.fresh = None
        with computing(layout):
            seen, _ = ragged_attention(SimpleNamespace(layer_idx=0), query, key, value, None, 0.125)
        told.append((seen, slots.keys[0], slots.values[0]))
    for one, other in zip(*told, strict=True):
        assert torch.allclose(one, other, atol=0.02 if dtype == torch.bfloat16 else 1e-5)


def test_a_chunk_behind_a_past_sees_just_that() -> None:
    torch.manual_seed(0)
    query, key, value = (torch.randn(1, heads, 20, 64, device=CUDA, dtype=torch.bfloat16) for heads in (6, 2, 2))
    slots = KvSlots([LayerShape(2, 64, 64)], 2 * 256, torch.bfloat16, CUDA)
    slots.keys[0][1], slots.values[0][1] = torch.randn(2, 2, 256, 64, device=CUDA, dtype=torch.bfloat16)
    with computing(Layout(slots, [], [Chunk(0, 20, 1, 37)])):
        seen, _ = ragged_attention(SimpleNamespace(layer_idx=0), query, key, value, None, 0.125)
    whole = slots.keys[0][1, :, :57].repeat_interleave(3, 0), slots.values[0][1, :, :57].repeat_interleave(3, 0)
    mask = torch.ones(20, 57, dtype=torch.bool, device=CUDA).tril(37)
    scores = (query[0].float() @ whole[0].float().mT * 0.125).masked_fill(~mask, float("-inf"))
    assert torch.allclose(seen[0].float(), (scores.softmax(-1) @ whole[1].float()).transpose(0, 1), atol=0.02)


@pytest.mark.parametrize("family", ["qwen2_vl", "qwen2_5_vl", "qwen3_vl", "glm4v", "glm_ocr"])
def test_pictures_seen_at_once_in_16_bits_are_pictures_seen_alone(checkpoint: CheckpointOf, family: str) -> None:
    settings = load_settings(
        _env_file=None, model=str(checkpoint(family)), device="cuda:0", dtype="bfloat16", cache_mb=64
    )
    loaded = load_model(settings)
    render = Renderer(loaded)
    sizes = [(84, 56), (56, 112), (112, 112)]
    prompts = [render([Message("user", "What?", (noise(*size, seed),))]) for seed, size in enumerate(sizes)]
    asked_for = [("", prompt.pictures[0]) for prompt in prompts]
    with torch.inference_mode():
        alone = [PictureEncoder(loaded.model, CUDA, 0)(*one) for one in asked_for]
        create_stepper(loaded, settings)
        assert loaded.model.config.vision_config._attn_implementation == flash.NAME
        at_once = PictureEncoder(loaded.model, CUDA, 0).encode_together(asked_for)
    for one, other in zip(at_once, alone, strict=True):
        assert one is not None
        assert one.tokens.shape == other.tokens.shape
        assert (one.tokens - other.tokens).abs().max() <= 0.05 * other.tokens.abs().max()


def test_the_demo_model_answers_and_a_cancelled_answer_ends(checkpoint: CheckpointOf) -> None:
    # With the memory that it takes by default, and so with the trials that measure what a step takes.
    engine = TransformersEngine.load(load_settings(_env_file=None, model="demo", device="cuda:0"))
    try:
        cpu = TransformersEngine.load(load_settings(_env_file=None, model="demo", device="cpu"))
        question = asked("What is in this picture?", pictures=(black(200, 200),))
        events = collect(engine, question)
        assert said(events) == said(collect(cpu, question))
        cpu.close()

        async def cancelled() -> FinishReason:
            stream = engine.submit(asked("Describe the picture.", pictures=(noise(200, 200),)))
            await anext(stream)
            assert engine.cancel("r1")
            return end_of(await gather(stream)).reason

        assert asyncio.run(cancelled()) is FinishReason.CANCELLED
        assert said(collect(engine, question)) == said(events)
    finally:
        engine.close()


def test_a_picture_that_the_tower_refuses_fails_alone(gpu_engine: EngineOf) -> None:
    engine = gpu_engine("qwen2_vl")

    def refuse(_module: object, args: tuple[torch.Tensor, ...], kwargs: dict[str, torch.Tensor]) -> None:
        pixels = args[0] if args else kwargs["hidden_states"]
        if min(patch.unique().numel() for patch in pixels) <= 3:
            raise RuntimeError("too dark")

    talks = [[Message("user", "What is this?", (noise(84, 56, seed),))] for seed in (1, 2)]
    alone = [generate(engine, talk) for talk in talks]
    handle = engine._loaded.model.model.visual.register_forward_pre_hook(refuse, with_kwargs=True)
    stepper = batch_stepper(engine._loaded, record=CudaRecorder(CUDA))
    bad = sequence(engine, [Message("user", "What is this?", (black(84, 56),))])
    good = [sequence(engine, talk) for talk in talks]
    told = answer(stepper, good[0], bad, good[1])
    handle.remove()
    assert isinstance(told[bad], InferenceError)
    for one, ids in zip(good, alone, strict=True):
        assert one.computed[: len(ids)] == ids


def test_memory_that_runs_out_ends_one_sequence_and_no_other(gpu_engine: EngineOf) -> None:
    engine = gpu_engine("qwen2_vl")
    talk = conversations("qwen2_vl")["one picture"]
    alone = generate(engine, talk)
    stepper = batch_stepper(engine._loaded, tokens=16_384, chunk_tokens=4096, record=CudaRecorder(CUDA))
    good = sequence(engine, talk, limit=10)
    stepper.add(good)
    while len(good.computed) < 3:
        list(stepper.step())
    prompt = engine._renderer([Message("user", "How many? " * 380)])
    large = Sequence_(prompt, Sampling(), 4)
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(CUDA).total_memory
    torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_reserved() + 2**20) / total)
    try:
        told = answer(stepper, large)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert isinstance(told[large], OutOfMemory)
    while len(good.computed) < 10:
        list(stepper.step())
    assert good.computed[: min(10, len(alone))] == alone[:10]
    # There is memory again.
    stepper.remove(good)
    assert not isinstance(answer(stepper, again := Sequence_(prompt, Sampling(), 4))[again], InferenceError)
