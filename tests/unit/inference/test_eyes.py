"""Eyes and mind as one engine: who is asked what, what is remembered, and what becomes of failures."""

import asyncio
from dataclasses import replace

import pytest

from core.errors import ConfigurationError, InferenceError, LookFailed, PromptTooLong
from core.inference.create import check_model, create_engine
from core.inference.eyes.blocks import NOT_SEEN
from core.inference.eyes.plan import MOST_LOOKS
from core.inference.port import Delta, Event, Message, Observation, Request, Sampling, Started
from core.inference.scripted import PICTURE_TOKENS, Script, words
from core.settings import load_settings
from tests.unit.inference.asking import collect, end_of, gather, said
from tests.unit.inference.eyes_pair import Make, asked, picture, seen


def test_the_eyes_look_and_the_mind_answers(make: Make) -> None:
    pair = make()

    events = pair.collect(asked("How many points?", "a star"))

    assert events[0] == Observation("key of a star", "eyes", "a star")
    assert said(events) == "Hm."
    assert said(events, "thinking") == "", "what the eyes think is nobody's business"
    (looking,), (answering,) = pair.eyes.requests, pair.mind.requests
    assert "How many points?" in looking.messages[0].text
    assert (looking.tenant, looking.cache_scope) == ("t", "talk/key of a star")
    assert answering.messages[0].pictures == ()
    assert '<observation picture="1">\na star\n</observation>\n\nHow many points?' in answering.messages[0].text
    assert (answering.id, answering.tenant, answering.cache_scope) == ("r1", "t", "talk")
    assert isinstance(events[1], Started)
    assert events[1].prompt_tokens == pair.mind.engine.count_tokens(answering.messages[0])
    assert events[1].picture_tokens == PICTURE_TOKENS
    assert end_of(events).completion_tokens == 1
    assert (pair.engine.model_name, pair.engine.eyes_name) == ("mind", "eyes")


def test_words_alone_go_straight_to_the_mind(make: Make) -> None:
    pair = make()

    assert said(pair.collect(asked("Hello"))) == "Hm."

    assert pair.eyes.requests == []
    assert pair.mind.prompts() == ["Hello"]


def test_what_was_seen_is_remembered_for_its_tenant_and_question(make: Make) -> None:
    pair = make()

    first = pair.collect(asked("How many?", "a star"))
    again = pair.collect(asked("  how MANY? ", "a star"))

    assert len(pair.eyes.requests) == 1
    assert seen(again) == seen(first)
    assert [e.picture_tokens for e in again if isinstance(e, Started)] == [0], "nothing was read for it"
    assert pair.mind.requests[0].messages[0].text.replace("How many?", "") == pair.mind.requests[1].messages[
        0
    ].text.replace("  how MANY? ", "")
    for other in (
        asked("Which colour?", "a star"),
        asked("How many?", "a cat"),
        asked("How many?", "a star", tenant="another"),
        asked("How many?", "a star", tenant=""),
        asked("How many?", "a star", tenant=""),
    ):
        before = len(pair.eyes.requests)
        pair.collect(other)
        assert len(pair.eyes.requests) == before + 1


def test_a_failed_look_is_not_remembered(make: Make) -> None:
    pair = make()
    for _ in range(2):
        with pytest.raises(LookFailed):
            pair.collect(asked("How many?", "broken"))

    assert len(pair.eyes.requests) == 2


def test_a_follow_up_reads_what_was_seen_and_looks_once_more(make: Make) -> None:
    pair = make()
    events = pair.collect(asked("How many points?", "a star"))
    observations = tuple(event for event in events if isinstance(event, Observation))
    question = replace(asked("How many points?", "a star").messages[0], observations=observations)
    talk = (question, Message("assistant", "Hm."), Message("user", "Which colour?"))

    events = pair.collect(Request("r2", talk, tenant="t", about=("key of a star",)))

    first, second = (request.messages for request in pair.mind.requests)
    assert second[: len(first)] == first, "the beginning is the same, so that it need not be computed again"
    assert seen(events) == [("a star", "a star")]
    assert "Which colour?" in pair.eyes.requests[-1].messages[0].text
    assert second[-1].text.endswith('<observation picture="1">\na star\n</observation>\n\nWhich colour?')


def test_special_eyes_look_once_whatever_is_asked(make: Make) -> None:
    pair = make(eyes_name="demo")
    question = Message("user", "How many?", (picture("a star"),), (Observation("key of a star", "demo", "a star"),))
    talk = (question, Message("assistant", "Hm."), Message("user", "Which colour?"))

    assert seen(pair.collect(Request("r", talk, tenant="t", about=("key of a star",)))) == []
    assert pair.eyes.requests == []


def test_one_picture_that_cannot_be_looked_at_is_told_to_the_mind(make: Make) -> None:
    pair = make()

    events = pair.collect(asked("Compare.", "broken", "a star"))

    assert seen(events) == [("a star", "a star"), ("broken", "")]
    (prompt,) = pair.mind.prompts()
    assert f'<observation picture="1">\n{NOT_SEEN}\n</observation>' in prompt
    assert '<observation picture="2">\na star\n</observation>' in prompt


def test_eyes_that_say_nothing_have_seen_nothing(make: Make) -> None:
    pair = make(lambda _: Script(" \n\0"))

    with pytest.raises(LookFailed, match="said nothing"):
        pair.collect(asked("Which?", "a star"))


def test_if_nothing_was_seen_the_turn_fails_and_may_be_tried_again(make: Make) -> None:
    pair = make()

    with pytest.raises(LookFailed, match="broken") as caught:
        pair.collect(asked("Compare.", "broken"))

    assert caught.value.retryable
    assert "broken" not in caught.value.user_message
    assert pair.mind.requests == []


def test_a_further_look_that_fails_leaves_what_was_seen_before(make: Make) -> None:
    pair = make(lambda _: Script("", error=InferenceError("not now")))
    question = Message("user", "How many?", (picture("a star"),), (Observation("key of a star", "eyes", "a star"),))
    talk = (question, Message("assistant", "Hm."), Message("user", "Which colour?"))

    events = pair.collect(Request("r", talk, tenant="t", about=("key of a star",)))

    assert said(events) == "Hm."
    assert NOT_SEEN in pair.mind.prompts()[0]


def test_more_pictures_than_looks(make: Make) -> None:
    pair = make(context_tokens=100_000)
    names = [f"p{n}" for n in range(MOST_LOOKS + 1)]

    events = pair.collect(asked("All?", *names))

    assert len(pair.eyes.requests) == MOST_LOOKS
    assert seen(events)[-1] == (names[-1], "")


def test_failures_of_the_mind_come_through(make: Make) -> None:
    pair = make(mind=lambda _: Script("", error=InferenceError("no idea")))

    with pytest.raises(InferenceError, match="no idea"):
        pair.collect(asked("Which?", "a star"))
    with pytest.raises(PromptTooLong):
        pair.collect(asked("word " * 20000))


def test_many_at_once_do_not_mix(make: Make) -> None:
    pair = make(mind=lambda request: Script(request.messages[-1].text.split("\n")[3]))

    async def run() -> list[list[Event]]:
        requests = [asked("Which?", f"thing {n}", id=f"r{n}", tenant=f"t{n % 3}") for n in range(30)]
        return await asyncio.gather(*(gather(pair.engine.submit(request)) for request in requests))

    answers = [said(events) for events in asyncio.run(run())]

    assert answers == [f"thing {n}" for n in range(30)]


def test_counts_promise_room_for_what_will_be_seen(make: Make) -> None:
    pair = make(lambda _: Script(" ".join(["word"] * 5000)), context_tokens=400)
    request = asked("Which?", "a star", "a cat")

    promised = sum(map(pair.engine.count_tokens, request.messages))
    events = pair.collect(request)

    started = next(event for event in events if isinstance(event, Started))
    assert started.prompt_tokens <= promised
    assert [text.endswith("[…]") for _, text in seen(events)] == [True, True]
    assert all(pair.engine.look_tokens - 40 < len(words(text)) for _, text in seen(events))
    observations = tuple(event for event in events if isinstance(event, Observation))
    known = pair.engine.count_tokens(replace(request.messages[0], observations=observations))
    assert started.prompt_tokens <= known <= promised


def test_a_further_look_waits_for_room(make: Make) -> None:
    pair = make(context_tokens=400)
    observation = Observation("key of a star", "eyes", "word " * 200)
    talk = (Message("user", "?", (picture("a star"),), (observation,)), Message("user", "Which colour?"))
    request = Request("r", talk, Sampling(max_new_tokens=100), tenant="t", about=("key of a star",))

    assert said(pair.collect(request)) == "Hm."
    assert pair.eyes.requests == []


def test_settings_choose_the_pair() -> None:
    settings = load_settings(_env_file=None, model="scripted:echo", eyes="scripted:echo?tokens=2")
    check_model(settings)
    engine = create_engine(settings)

    events = collect(engine, asked("Which?", "a star"))

    assert engine.model_name == "scripted:echo"
    assert seen(events) == [("a star", "word1 word2")]
    assert "word1 word2" in said(events)
    assert any(isinstance(event, Delta) for event in events)
    engine.close()


@pytest.mark.parametrize(
    ("eyes", "says"), [("/nowhere", "GLIMT_EYES="), ("owner/name", "GLIMT_EYES_REVISION"), ("scripted:x", "GLIMT_EYES")]
)
def test_wrong_eyes_are_named(eyes: str, says: str) -> None:
    settings = load_settings(_env_file=None, model="scripted:echo", eyes=eyes)

    for check in (check_model, create_engine):
        with pytest.raises(ConfigurationError, match=says):
            check(settings)


def test_none_is_a_word_for_no_eyes() -> None:
    assert load_settings(_env_file=None, eyes="none").eyes == ""
