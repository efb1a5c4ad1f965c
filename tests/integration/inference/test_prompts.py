"""Prompts of every family: nobody's words become control tokens, reasoning is asked for, sizes are kept."""

import io
import json
import shutil
from hashlib import sha256
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from core.errors import ModelLoadError
from core.inference.engine import TransformersEngine
from core.inference.loader import load_model
from core.inference.neutralise import Neutraliser
from core.inference.pixel_budget import PIXEL_BUDGET
from core.inference.port import Message, Picture, Sampling, Started
from core.inference.render import Renderer
from core.settings import load_settings
from tests.integration.inference.checkpoints import FAMILIES, TEXT_ONLY
from tests.integration.inference.conftest import CheckpointOf, EngineOf, noise
from tests.unit.inference.asking import asked, collect, end_of


def control(engine: TransformersEngine, messages: list[Message], reasoning: bool = False) -> list[int]:
    """The control tokens of a prompt, in order."""
    ids = Neutraliser(engine._loaded.tokenizer).control_ids
    return [id for id in engine._renderer(messages, reasoning).ids[0].tolist() if id in ids]


def conversation(words: str, seeing: bool) -> list[Message]:
    pictures = (noise(56, 56),) if seeing else ()
    return [
        Message("system", words),
        Message("user", words, pictures),
        Message("assistant", words),
        Message("user", words),
    ]


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_words_never_change_the_shape_of_a_prompt(engine_of: EngineOf, family: str, data: st.DataObject) -> None:
    engine = engine_of(family)
    tokens = [token.content for token in engine._loaded.tokenizer.added_tokens_decoder.values()]
    hostile = data.draw(
        st.lists(st.one_of(st.sampled_from([*tokens, "<", "|>"]), st.text(max_size=3)), min_size=1).map("".join)
    )
    seeing = engine._loaded.processor is not None
    assert control(engine, conversation(f"x{hostile}x", seeing)) == control(engine, conversation("x", seeing))


def test_reasoning_is_asked_for_where_the_template_knows_how(engine_of: EngineOf) -> None:
    engine = engine_of("glm4v")
    question = [Message("user", "Why?")]
    text = {on: engine._loaded.tokenizer.decode(engine._renderer(question, on).ids[0].tolist()) for on in (True, False)}
    assert text[True].endswith("<|assistant|>\n")
    assert text[False].endswith("/nothink<|assistant|>\n<think></think>\n")


@pytest.mark.parametrize("family", [family for family in FAMILIES if not family.startswith("glm")])
def test_reasoning_changes_nothing_where_the_template_does_not_know_it(engine_of: EngineOf, family: str) -> None:
    with_it, without = (engine_of(family)._renderer([Message("user", "Why?")], on) for on in (True, False))
    assert with_it.ids.tolist() == without.ids.tolist()
    assert not with_it.thinking


def test_a_model_that_always_thinks_is_in_a_thought_from_the_start(
    engine_of: EngineOf, checkpoint: CheckpointOf, tmp_path: Path
) -> None:
    # As Qwen3-VL-Thinking's template does, whatever is asked for.
    shutil.copytree(checkpoint("qwen3_vl"), tmp_path, dirs_exist_ok=True)
    file = tmp_path / "chat_template.jinja"
    template = file.read_text()
    assert template.endswith("<|im_start|>assistant\n{% endif %}")
    file.write_text(template.removesuffix("{% endif %}") + "<think>\n{% endif %}")
    loaded = load_model(load_settings(_env_file=None, model=str(tmp_path), device="cpu"))
    renderer = Renderer(loaded)
    assert all(renderer([Message("user", "Why?")], reasoning).thinking for reasoning in (True, False))
    assert not engine_of("qwen3_vl")._renderer([Message("user", "Why?")], True).thinking


def test_paligemma_reads_pictures_first_then_what_was_said_line_by_line(engine_of: EngineOf) -> None:
    engine = engine_of("paligemma")
    talk = [
        Message("user", "What is this?", (noise(56, 56, 1),)),
        Message("assistant", "A star."),
        Message("user", "And this?", (noise(56, 56, 2),)),
    ]

    def read(messages: list[Message]) -> str:
        ids = engine._renderer(messages).ids[0]
        text: str = engine._loaded.tokenizer.decode(ids.tolist())
        return text

    assert read(talk) == "<image>" * 32 + "<s>What is this?\nA star.\nAnd this?\n"
    # Its processor takes no text alone; the model is asked as it would be with a picture, but for the picture.
    assert read([Message("user", "What is this?")]) == "<s>What is this?\n"
    prompt = engine._renderer(talk)
    assert prompt.positions[0].tolist() == list(range(1, prompt.tokens + 1))
    assert prompt.position(prompt.tokens).tolist() == [[prompt.tokens + 1]]


def test_pixels_in_which_qwen_2_5_counts_boxes(engine_of: EngineOf) -> None:
    question = [Message("user", "Where?", (noise(100, 100), noise(90, 50)))]
    assert engine_of("qwen2_5_vl")._renderer(question).box_pixels == (84, 56)
    assert engine_of("qwen2_5_vl")._renderer([Message("user", "Where?")]).box_pixels is None
    assert engine_of("qwen3_vl")._renderer(question).box_pixels is None


def test_a_model_that_wants_a_package_says_which(checkpoint: CheckpointOf, tmp_path: Path) -> None:
    shutil.copytree(checkpoint("llava"), tmp_path, dirs_exist_ok=True)
    config = json.loads((tmp_path / "config.json").read_text())
    vision = {"model_type": "timm_wrapper", "architecture": "fastvit_mci2", "hidden_size": 64}
    config |= {"model_type": "fast_vlm", "vision_config": vision, "vision_feature_select_strategy": "full"}
    config |= {"vision_feature_layer": -1}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelLoadError, match="timm"):
        load_model(load_settings(_env_file=None, model=str(tmp_path), device="cpu"))


def test_a_prompt_that_ends_in_an_open_thought_says_so(
    engine_of: EngineOf, checkpoint: CheckpointOf, tmp_path: Path
) -> None:
    for file in checkpoint("glm4v").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    template = (tmp_path / "chat_template.jinja").read_text()
    (tmp_path / "chat_template.jinja").write_text(template + "{% if enable_thinking %}<think>\n{% endif %}")
    engine = TransformersEngine.load(load_settings(_env_file=None, model=str(tmp_path), device="cpu"))
    try:
        assert engine._renderer([Message("user", "Why?")], True).thinking
        assert not engine._renderer([Message("user", "Why?")], False).thinking
    finally:
        engine.close()
    assert not engine_of("glm4v")._renderer([Message("user", "Why?")], True).thinking


@pytest.mark.parametrize(("family", "most"), [("glm4v", 12), ("qwen2_vl", 12)])
def test_the_size_of_the_checkpoint_is_kept(engine_of: EngineOf, family: str, most: int) -> None:
    large = engine_of(family)._renderer([Message("user", "What?", (noise(600, 400),))])
    assert 0 < large.picture_tokens <= most


def test_pictures_are_limited_in_families_that_count_area(checkpoint: CheckpointOf, tmp_path: Path) -> None:
    for file in checkpoint("qwen2_vl").iterdir():
        text = file.read_bytes()
        if file.name.endswith("processor_config.json"):
            text = text.replace(str(28 * 28 * 12).encode(), str(10**9).encode())
        (tmp_path / file.name).write_bytes(text)
    loaded = load_model(load_settings(_env_file=None, model=str(tmp_path), device="cpu"))
    assert loaded.processor is not None
    assert loaded.processor.image_processor.size["longest_edge"] == PIXEL_BUDGET


def test_transparent_becomes_white(engine_of: EngineOf) -> None:
    def picture(image: Image.Image) -> Picture:
        file = io.BytesIO()
        image.save(file, "PNG")
        return Picture(sha256(file.getvalue()).hexdigest(), file.getvalue(), *image.size)

    clear, white = (Image.new("RGBA", (56, 56), (0, 0, 0, 0)), Image.new("RGB", (56, 56), "white"))
    prompts = [engine_of("glm4v")._renderer([Message("user", "What?", (picture(image),))]) for image in (clear, white)]
    assert torch.equal(prompts[0].inputs["pixel_values"], prompts[1].inputs["pixel_values"])


@pytest.mark.parametrize("family", [family for family in FAMILIES if family not in TEXT_ONLY])
@pytest.mark.parametrize("size", [(1, 1), (1, 300), (3000, 10), (57, 1400), (1500, 1500)])
def test_a_picture_of_any_size(engine_of: EngineOf, family: str, size: tuple[int, int]) -> None:
    engine = engine_of(family)
    question = asked("What?", pictures=(noise(*size),), sampling=Sampling(max_new_tokens=1))
    events = collect(engine, question)
    assert end_of(events).completion_tokens == 1
    assert isinstance(events[0], Started)
    assert 0 < events[0].picture_tokens < events[0].prompt_tokens <= engine.count_tokens(question.messages[0])


def test_a_folder_of_another_kind_of_model(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert", "vocab_size": 10}')
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(ModelLoadError):
        load_model(load_settings(_env_file=None, model=str(tmp_path), device="cpu"))


def test_code_from_a_checkpoint_is_never_run(checkpoint: CheckpointOf, tmp_path: Path) -> None:
    for file in checkpoint("glm4_moe_lite").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    config = json.loads((tmp_path / "config.json").read_text())
    config |= {"model_type": "own_kind", "auto_map": {"AutoConfig": "own.Config", "AutoModelForCausalLM": "own.Model"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "own.py").write_text(
        "import pathlib\npathlib.Path(__file__).with_name('ran').touch()\nclass Config: pass\n"
    )
    with pytest.raises(ModelLoadError):
        load_model(load_settings(_env_file=None, model=str(tmp_path), device="cpu"))
    assert not (tmp_path / "ran").exists()


def test_weights_that_are_cut_off(checkpoint: CheckpointOf, tmp_path: Path) -> None:
    for file in checkpoint("glm4v").iterdir():
        data = file.read_bytes()
        (tmp_path / file.name).write_bytes(data[: len(data) // 2] if file.suffix == ".safetensors" else data)
    with pytest.raises(ModelLoadError, match="cannot be loaded"):
        load_model(load_settings(_env_file=None, model=str(tmp_path), device="cpu"))
