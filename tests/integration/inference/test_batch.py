"""The batching stepper: in chunks, beside others, in slots cut anew, a sequence gets the tokens that are its own."""

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
import torch

from core.errors import InferenceError, OutOfMemory
from core.inference.batch import BatchStepper
from core.inference.engine import TransformersEngine
from core.inference.families import family_of
from core.inference.port import Message, Sampling
from core.inference.stepper import Admitted, Stepper
from core.inference.stepper import Sequence as Sequence_
from tests.integration.inference.checkpoints import BATCHED, TEXT_ONLY
from tests.integration.inference.conftest import EngineOf, black, noise
from tests.integration.inference.steppers import batch_stepper
from tests.integration.inference.test_families import CONVERSATIONS, NEW_TOKENS, conversations, generate


def sequence(
    engine: TransformersEngine,
    messages: Sequence[Message],
    scope: str = "",
    limit: int = NEW_TOKENS,
    person: str = "",
    **sampling: Any,
) -> Sequence_:
    tenant, chosen = "tenant" if scope else "", Sampling(max_new_tokens=limit, **sampling)
    return Sequence_(engine._renderer(messages), chosen, limit, tenant, scope, person)


def finish(stepper: Stepper, *sequences: Sequence_) -> dict[Sequence_, Admitted | InferenceError | None]:
    """Step until each of `sequences` has its tokens, and let it go then; what was said of it besides tokens."""
    told: dict[Sequence_, Admitted | InferenceError | None] = dict.fromkeys(sequences)
    going = set(sequences)
    while going:
        for one, outcome in stepper.step():
            if not isinstance(outcome, int):
                told[one] = outcome
            if isinstance(outcome, InferenceError):
                going.discard(one)
            elif len(one.computed) >= one.limit and one in going:
                going.discard(one)
                stepper.remove(one)
    return told


def answer(stepper: BatchStepper, *sequences: Sequence_) -> dict[Sequence_, Admitted | InferenceError | None]:
    """Take `sequences` in and `finish` them."""
    for one in sequences:
        stepper.add(one)
    return finish(stepper, *sequences)


def cached(told: Admitted | InferenceError | None) -> int:
    assert isinstance(told, Admitted)
    return told.cached_tokens


def own(engine: TransformersEngine, messages: Sequence[Message], computed: Sequence[int]) -> bool:
    """Whether `computed` is what the model alone says to `messages`."""
    alone = generate(engine, messages)
    return list(computed[: len(alone)]) == alone


@pytest.fixture
def engine(engine_of: EngineOf) -> TransformersEngine:
    return engine_of("qwen2_vl")


@pytest.mark.parametrize("family", BATCHED)
@pytest.mark.parametrize("chunk_tokens", [7, 64])
def test_prompts_in_chunks_equal_generate(engine_of: EngineOf, family: str, chunk_tokens: int) -> None:
    engine = engine_of(family)
    stepper = batch_stepper(engine._loaded, chunk_tokens=chunk_tokens)
    asked = conversations(family)
    sequences = {name: sequence(engine, messages) for name, messages in asked.items()}
    # One after the other joins, while those before it are already answered.
    for one in sequences.values():
        stepper.add(one)
        for _ in range(2):
            list(stepper.step())
    finish(stepper, *sequences.values())
    for name, messages in asked.items():
        assert own(engine, messages, sequences[name].computed), name


@pytest.mark.parametrize("family", BATCHED)
def test_a_follow_up_computes_only_what_is_new(engine_of: EngineOf, family: str) -> None:
    engine = engine_of(family)
    stepper = batch_stepper(engine._loaded)
    causal = family_of(family).causal
    pictures = () if family in TEXT_ONLY else (noise(84, 56),)
    talk = [Message("user", "What is in this picture?", pictures)]
    before = 0
    for _ in range(3):
        turn = sequence(engine, talk, "conversation")
        told = answer(stepper, turn)[turn]
        assert own(engine, talk, turn.computed)
        # All of the turn before but what its template put behind it; nothing where a prompt looks both ways.
        assert cached(told) >= before if causal else cached(told) == 0
        before = turn.prompt.tokens - 12
        said = engine._loaded.tokenizer.decode(turn.computed, skip_special_tokens=True)
        # `generate` is not careful with what looks like a control token.
        talk = [
            *talk,
            Message("assistant", engine._renderer._neutralise(said.strip())),
            Message("user", "How many are there?"),
        ]


def _edited(talk: list[Message]) -> list[Message]:
    return [Message("user", "What was in that picture?", talk[0].pictures), *talk[1:]]


def _other_picture(talk: list[Message]) -> list[Message]:
    return [Message("user", talk[0].text, (noise(84, 56, 9),)), *talk[1:]]


def _new_picture(talk: list[Message]) -> list[Message]:
    return [*talk[:-1], Message("user", "And in this one?", (noise(56, 56, 8),))]


def _without_history(talk: list[Message]) -> list[Message]:
    return talk[-1:]


def _retried(talk: list[Message]) -> list[Message]:
    return talk[:1]


@pytest.mark.parametrize("family", ["qwen2_vl", "glm4v", "llava_next", "smolvlm"])
@pytest.mark.parametrize("change", [_edited, _other_picture, _new_picture, _without_history, _retried])
def test_a_changed_conversation_is_computed_as_it_is_now(
    engine_of: EngineOf, family: str, change: Callable[[list[Message]], list[Message]]
) -> None:
    engine = engine_of(family)
    stepper = batch_stepper(engine._loaded)
    talk = [
        Message("user", "What is in this picture?", (noise(84, 56),)),
        Message("assistant", "A red square."),
        Message("user", "How many are there?"),
    ]
    first = sequence(engine, talk, "conversation")
    answer(stepper, first)
    changed = change(talk)
    second = sequence(engine, changed, "conversation")
    answer(stepper, second)
    assert own(engine, changed, second.computed)


def test_scopes_and_tenants_share_nothing(engine: TransformersEngine) -> None:
    stepper = batch_stepper(engine._loaded)
    talk = [Message("user", "What is in this picture?", (noise(84, 56),))]
    one, other, none = (sequence(engine, talk, scope) for scope in ("one", "other", ""))
    other.tenant = "other tenant"
    assert [cached(answer(stepper, each)[each]) for each in (one, other, none)] == [0, 0, 0]
    assert stepper.encoder.cache.hits == 0
    again, nameless = sequence(engine, talk, "one"), sequence(engine, talk, "")
    assert cached(answer(stepper, again)[again]) == again.prompt.tokens - 1
    assert cached(answer(stepper, nameless)[nameless]) == 0
    assert stepper.encoder.cache.misses == 2


def test_a_picture_is_encoded_once_for_a_tenant(engine: TransformersEngine) -> None:
    stepper = batch_stepper(engine._loaded)
    picture = noise(84, 56)
    first = sequence(engine, [Message("user", "What is in this picture?", (picture,))], "one")
    second = sequence(engine, [Message("user", "How many are there?", (picture,))], "two")
    answer(stepper, first, second)
    assert (stepper.encoder.cache.misses, stepper.encoder.cache.hits) == (1, 1)


def test_nothing_is_kept_beyond_the_budget(engine: TransformersEngine) -> None:
    stepper = batch_stepper(engine._loaded, prefix_bytes=0, picture_bytes=0)
    talk = [Message("user", "What is in this picture?", (noise(84, 56),))]
    for _ in range(2):
        one = sequence(engine, talk, "conversation")
        assert cached(answer(stepper, one)[one]) == 0
        assert own(engine, talk, one.computed)


def test_long_ones_come_in_between_short_ones(engine: TransformersEngine) -> None:
    # Room for four short sequences, or two of twice the length.
    stepper = batch_stepper(engine._loaded, tokens=1024)
    short = [Message("user", "How many are there?")]
    long = [Message("user", "What is in this picture? " * 40)]
    asked = [short, long, short, short, long, short]
    sequences = [sequence(engine, messages) for messages in asked]
    assert sequences[1].prompt.tokens > 256
    answer(stepper, *sequences)
    assert all(own(engine, messages, one.computed) for messages, one in zip(asked, sequences, strict=True))


def test_more_than_fit_wait_for_their_turn(engine: TransformersEngine) -> None:
    stepper = batch_stepper(engine._loaded, tokens=512)
    talk = [Message("user", "How many are there?")]
    sequences = [sequence(engine, talk) for _ in range(5)]
    for one in sequences:
        stepper.add(one)
    admitted = [one for one, outcome in stepper.step() if isinstance(outcome, Admitted)]
    assert admitted == sequences[:2]
    finish(stepper, *sequences)
    assert all(own(engine, talk, one.computed) for one in sequences)


def test_coming_and_going_at_random(engine: TransformersEngine) -> None:
    chance = random.Random(5)
    stepper = batch_stepper(engine._loaded, tokens=2048, chunk_tokens=20)
    asked = list(CONVERSATIONS.values())
    alone = [generate(engine, messages) for messages in asked]
    going: dict[Sequence_, int] = {}
    for _ in range(120):
        if chance.random() < 0.4:
            number = chance.randrange(len(asked))
            one = sequence(engine, asked[number], chance.choice(["", "a", "b"]))
            going[one] = number
            stepper.add(one)
        if going and chance.random() < 0.1:
            given_up = chance.choice(list(going))
            del going[given_up]
            stepper.remove(given_up)
        list(stepper.step())
        for one, number in list(going.items()):
            assert one.computed[: len(alone[number])] == alone[number][: len(one.computed)]
            if len(one.computed) >= NEW_TOKENS:
                stepper.remove(one)
                del going[one]


@pytest.fixture
def broken_tower(engine: TransformersEngine) -> Iterator[None]:
    """The vision tower refuses pictures that are all black."""

    def refuse(_module: object, args: tuple[torch.Tensor, ...], kwargs: dict[str, torch.Tensor]) -> None:
        pixels = args[0] if args else kwargs["hidden_states"]
        if pixels.unique().numel() <= 3:
            raise RuntimeError("too dark")

    handle = engine._loaded.model.model.visual.register_forward_pre_hook(refuse, with_kwargs=True)
    yield
    handle.remove()


def test_a_picture_that_the_tower_refuses_fails_alone(engine: TransformersEngine, broken_tower: None) -> None:
    stepper = batch_stepper(engine._loaded)
    good_talk = [Message("user", "What is in this picture?", (noise(84, 56),))]
    good = sequence(engine, good_talk)
    bad = sequence(engine, [Message("user", "What is in this picture?", (black(84, 56),))])
    told = answer(stepper, bad, good)
    assert isinstance(told[bad], InferenceError)
    assert "too dark" in str(told[bad])
    assert own(engine, good_talk, good.computed)


@pytest.fixture
def short_of_memory(engine: TransformersEngine) -> Iterator[set[int]]:
    """A step over a token of this set runs out of memory."""
    costly: set[int] = set()

    def refuse(_module: object, args: tuple[torch.Tensor, ...]) -> None:
        if costly.intersection(args[0].flatten().tolist()):
            raise torch.OutOfMemoryError("no more")

    handle = engine._loaded.model.get_input_embeddings().register_forward_pre_hook(refuse)
    yield costly
    handle.remove()


def test_a_step_that_breaks_costs_only_whom_it_breaks_for(
    engine: TransformersEngine, short_of_memory: set[int]
) -> None:
    stepper = batch_stepper(engine._loaded)
    asked = [CONVERSATIONS["one picture"], [Message("user", "How ◆ many?")], CONVERSATIONS["no picture"]]
    alone = [generate(engine, messages) for messages in asked]
    (costly,) = set(engine._loaded.tokenizer("◆", add_special_tokens=False)["input_ids"][:1])
    assert not any(costly in tokens for tokens in alone)
    sequences = [sequence(engine, messages) for messages in asked]
    stepper.add(sequences[0])
    list(stepper.step())
    short_of_memory.add(costly)
    for one in sequences[1:]:
        stepper.add(one)
    told = finish(stepper, *sequences)
    assert isinstance(told[sequences[1]], OutOfMemory)
    assert [one.computed[: len(alone[n])] == alone[n] for n, one in enumerate(sequences)] == [True, False, True]


def test_a_row_that_breaks_while_decoding_leaves_the_others(
    engine: TransformersEngine, short_of_memory: set[int]
) -> None:
    stepper = batch_stepper(engine._loaded)
    asked = list(CONVERSATIONS.values())
    alone = [generate(engine, messages) for messages in asked]
    sequences = [sequence(engine, messages) for messages in asked]
    for one in sequences:
        stepper.add(one)
    list(stepper.step())
    # What one of them is about to read back, and no other.
    read_back = [set(tokens[1:-1]) for tokens in alone]
    unlucky, token = next(
        (number, token)
        for number, tokens in enumerate(read_back)
        for token in tokens
        if sum(token in others for others in alone) == 1 and token != alone[number][0]
    )
    short_of_memory.add(token)
    told = finish(stepper, *sequences)
    for number, one in enumerate(sequences):
        if number == unlucky:
            assert isinstance(told[one], OutOfMemory)
        else:
            assert one.computed[: len(alone[number])] == alone[number]
