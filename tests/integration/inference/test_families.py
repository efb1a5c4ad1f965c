"""Requests that run at the same time get the very tokens that plain `generate` gives each of them alone."""

import asyncio
import io
from collections.abc import Sequence

import pytest
import torch
from PIL import Image

from core.conversation.box_text import read_boxes
from core.errors import InferenceError
from core.inference.engine import TransformersEngine
from core.inference.port import Event, Message, Request, Sampling, Started
from core.inference.stepper import Admitted, RoundRobinStepper
from core.inference.stepper import Sequence as Sequence_
from tests.integration.inference.checkpoints import FAMILIES, TEXT_ONLY
from tests.integration.inference.conftest import EngineOf, noise
from tests.unit.inference.asking import asked, collect, end_of, gather, said

NEW_TOKENS = 12

CONVERSATIONS: dict[str, list[Message]] = {
    "no picture": [Message("user", "How many are there?")],
    "one picture": [Message("user", "What is in this picture?", (noise(84, 56),))],
    "two pictures": [Message("user", "What is in this picture?", (noise(84, 56, 1), noise(56, 112, 2)))],
    "follow-up": [
        Message("user", "What is in this picture?", (noise(84, 56),)),
        Message("assistant", "A red square."),
        Message("user", "How many are there?"),
    ],
    "second picture later": [
        Message("user", "What is in this picture?", (noise(56, 56, 3),)),
        Message("assistant", "A blue circle above a red square."),
        Message("user", "What is in this one?", (noise(112, 84, 4),)),
    ],
}
PLAIN = {
    "short": [Message("user", "How many?")],
    "longer": [Message("user", "What is in this picture? A red square above a blue circle.")],
    "follow-up": [Message("user", "How many?"), Message("assistant", "Three."), Message("user", "What is above?")],
}


def conversations(family: str) -> dict[str, list[Message]]:
    """What `family` is asked."""
    return PLAIN if family in TEXT_ONLY else CONVERSATIONS


def generate(engine: TransformersEngine, messages: Sequence[Message]) -> list[int]:
    """The ids that transformers itself makes of `messages`, alone, from its own template call on."""
    loaded = engine._loaded
    chat = []
    for message in messages:
        content = [{"type": "image", "image": Image.open(io.BytesIO(p.data))} for p in message.pictures]
        content.append({"type": "text", "text": message.text})
        chat.append({"role": message.role, "content": message.text if loaded.processor is None else content})
    inputs: dict[str, torch.Tensor]
    if loaded.model.config.model_type == "paligemma" and not any(message.pictures for message in messages):
        # Its processor takes no text alone. As text with a picture, but for the picture: "beginning, text, line end".
        text = loaded.tokenizer.bos_token + "\n".join(message.text for message in messages) + "\n"
        inputs = loaded.tokenizer(text, add_special_tokens=False, return_tensors="pt", return_token_type_ids=True)
    else:
        inputs = (loaded.processor or loaded.tokenizer).apply_chat_template(
            chat,
            add_generation_prompt=True,
            enable_thinking=False,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
        )
    made = loaded.model.generate(
        **{name: value.to(loaded.device) for name, value in inputs.items()},
        max_new_tokens=NEW_TOKENS,
        do_sample=False,
        suppress_tokens=sorted(loaded.vocabulary.suppressed),
        eos_token_id=sorted(loaded.vocabulary.ends),
    )
    ids: list[int] = made[0, inputs["input_ids"].shape[1] :].tolist()
    return ids


def readable(engine: TransformersEngine, ids: Sequence[int]) -> str:
    """What of `ids` a person should see."""
    shown = [id for id in ids if id not in engine._loaded.vocabulary.hidden]
    text, _ = read_boxes(engine._loaded.tokenizer.decode(shown).rstrip("\ufffd"))
    return text.strip()


async def ask_all(engine: TransformersEngine, conversations: dict[str, list[Message]]) -> dict[str, list[Event]]:
    async def ask(name: str, messages: list[Message]) -> list[Event]:
        request = Request(name, tuple(messages), Sampling(max_new_tokens=NEW_TOKENS))
        return await gather(engine.submit(request))

    events = await asyncio.gather(*(ask(name, messages) for name, messages in conversations.items()))
    return dict(zip(conversations, events, strict=True))


@pytest.mark.parametrize("family", FAMILIES)
def test_interleaved_equals_generate_alone(engine_of: EngineOf, family: str) -> None:
    engine = engine_of(family)
    alone = {name: generate(engine, messages) for name, messages in conversations(family).items()}
    assert len({str(ids) for ids in alone.values()}) == len(alone), "the model does not look at what it is asked"
    for name, events in asyncio.run(ask_all(engine, conversations(family))).items():
        assert said(events) == readable(engine, alone[name]), name
        assert end_of(events).completion_tokens == len(alone[name]), name


@pytest.mark.parametrize("family", FAMILIES)
def test_steps_of_many_sequences_equal_generate_token_by_token(engine_of: EngineOf, family: str) -> None:
    engine = engine_of(family)
    stepper = RoundRobinStepper(engine._loaded)
    sequences = {
        name: Sequence_(engine._renderer(messages), Sampling(), NEW_TOKENS)
        for name, messages in conversations(family).items()
    }
    for sequence in sequences.values():
        stepper.add(sequence)
    while any(len(sequence.computed) < NEW_TOKENS for sequence in sequences.values()):
        assert all(isinstance(outcome, int | Admitted) for _, outcome in stepper.step())
    for name, messages in conversations(family).items():
        alone = generate(engine, messages)
        assert sequences[name].computed[: len(alone)] == alone, name


@pytest.mark.parametrize("family", FAMILIES)
def test_counting_never_promises_too_little(engine_of: EngineOf, family: str) -> None:
    engine = engine_of(family)
    answers = asyncio.run(ask_all(engine, conversations(family)))
    for name, messages in conversations(family).items():
        started = answers[name][0]
        assert isinstance(started, Started)
        counted = sum(engine.count_tokens(message) for message in messages)
        # A little too much is right: what the template adds once is counted with every question.
        assert started.prompt_tokens <= counted <= started.prompt_tokens + 40 * len(messages), name
        assert (started.picture_tokens > 0) == any(message.pictures for message in messages), name


@pytest.mark.parametrize("family", FAMILIES)
def test_a_system_message_reaches_every_family(engine_of: EngineOf, family: str) -> None:
    engine = engine_of(family)
    question = [Message("user", "How many are there?")]
    without = engine._renderer(question)
    with_it = engine._renderer([Message("system", "Say it in seven words."), *question])
    assert "Say it in seven words." in engine._loaded.tokenizer.decode(with_it.ids[0].tolist())
    assert "Say it" not in engine._loaded.tokenizer.decode(without.ids[0].tolist())


@pytest.mark.parametrize("family", [family for family in FAMILIES if family not in TEXT_ONLY])
def test_pictures_change_the_prompt_not_only_its_length(engine_of: EngineOf, family: str) -> None:
    engine = engine_of(family)
    one, other = (engine._renderer([Message("user", "What?", (noise(56, 56, seed),))]) for seed in (1, 2))
    assert torch.equal(one.ids, other.ids)
    pixels = next(name for name in one.inputs if name.endswith("pixel_values"))
    assert not torch.equal(one.inputs[pixels], other.inputs[pixels])


def test_a_text_model_says_that_it_cannot_see(engine_of: EngineOf) -> None:
    with pytest.raises(InferenceError, match="text only") as caught:
        collect(engine_of("glm4_moe_lite"), asked("What?", pictures=(noise(56, 56),)))
    assert "cannot see pictures" in caught.value.user_message
    assert not caught.value.retryable
