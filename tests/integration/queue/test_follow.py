"""Readers of a turn: late, resumed, many, in any language; each gets all of it once and in order."""

import asyncio

import pytest

from core.errors import NotFound
from core.queue.cancel import request_cancel
from core.queue.events import Ended, FollowEvent, Reset, Retrying, Text, Waiting
from core.queue.follow import FIRST, Seen, StreamHub
from core.queue.streams import stream_key
from core.store.models import Turn
from core.values import TurnState, new_id
from tests.integration.queue.stage import TTL_S, Stage, ended, text_of, written

WORDS = ("A ", "red ", "star ", "in ", "the ", "sky.")


def _answered(stage: Stage, *texts: str) -> str:
    turn_id, writer = stage.running()
    written(writer, *texts)
    stage.end(turn_id, "".join(texts), writer)
    return turn_id


def test_a_late_reader_gets_all_of_it(stage: Stage) -> None:
    events = stage.follow(_answered(stage, *WORDS))

    assert [type(event) for event in events] == [Reset, *[Text] * len(WORDS), Ended]
    assert text_of(events) == ended(events).answer == "".join(WORDS)


def test_a_live_reader_gets_each_piece_when_it_comes(stage: Stage) -> None:
    async def scene() -> None:
        turn_id, writer = stage.running()
        async with stage.hub() as hub, stage.reader(hub, turn_id) as reader:
            writer.flush()
            assert isinstance(await reader.next(), Reset)
            for word in WORDS:
                written(writer, word)
                event = await reader.next()
                assert isinstance(event, Text)
                assert (event.text, event.kind) == (word, "text")
            stage.end(turn_id, "".join(WORDS), writer)
            assert isinstance(await reader.next(), Ended)

    asyncio.run(scene())


def test_resuming_behind_any_event_gets_exactly_the_rest(stage: Stage) -> None:
    turn_id = _answered(stage, *WORDS)
    events = stage.follow(turn_id)

    for seen, event in enumerate(events[:-1], start=1):
        rest = stage.follow(turn_id, event.cursor)
        assert [type(e) for e in rest] == [type(e) for e in events[seen:]]
        assert text_of(events[:seen]) + text_of(rest) == "".join(WORDS)


def test_resuming_behind_the_last_entry_only_ends(stage: Stage) -> None:
    turn_id = _answered(stage, *WORDS)
    last = stage.follow(turn_id)[-1].cursor

    assert [type(event) for event in stage.follow(turn_id, last)] == [Ended]


@pytest.mark.parametrize(
    "cursor", ["", "nonsense", "-", "1-", "5-5", "1e9-0", "٣-٠", f"{10**17}-0", f"{2**64}-0", f"{10**30}-{10**30}"]
)
def test_a_cursor_that_never_was_one_reads_from_the_start(stage: Stage, cursor: str) -> None:
    turn_id = _answered(stage, *WORDS)

    events = stage.follow(turn_id, cursor)

    assert isinstance(events[0], Reset)
    assert text_of(events) == "".join(WORDS)


def test_answer_and_thinking_are_told_apart(stage: Stage) -> None:
    turn_id, writer = stage.running()
    for text, kind in (("Let me ", "think"), ("see.", "think"), ("A ", "text"), ("Hm.", "think"), ("star.", "text")):
        writer.text(text, "think" if kind == "think" else "text")
        writer.flush()
    stage.end(turn_id, "A star.", writer)

    events = stage.follow(turn_id)

    assert text_of(events) == "A star."
    assert "".join(e.text for e in events if isinstance(e, Text) and e.kind == "think") == "Let me see.Hm."


def test_what_the_eyes_saw_comes_whole_and_in_order(stage: Stage) -> None:
    turn_id, writer = stage.running()
    seen = [{"picture": "a", "model": "eyes", "text": "A star.\n⭐"}, {"picture": "b", "model": "eyes", "text": ""}]
    for observation in seen:
        writer.seen(observation)
    writer.text("A star.")
    stage.end(turn_id, "A star.", writer)

    events = stage.follow(turn_id)

    assert [type(event).__name__ for event in events] == ["Reset", "Seen", "Seen", "Text", "Ended"]
    assert [event.observation for event in events if isinstance(event, Seen)] == seen


@pytest.mark.parametrize("answer", ["星星是红色的。", "👩‍👩‍👧‍👦 é à́ 🇳🇴", "\u200f\u202e‮\x00\n\t", "a" * 100_000])
def test_any_text_comes_through_cut_anywhere(stage: Stage, answer: str) -> None:
    step = max(len(answer) // 7, 1)
    pieces = [answer[n : n + step] for n in range(0, len(answer), step)]
    turn_id = _answered(stage, *pieces)

    events = stage.follow(turn_id)

    assert text_of(events) == answer
    assert [e.text for e in events if isinstance(e, Text)] == pieces
    middle = events[len(events) // 2]
    assert text_of(events[: len(events) // 2 + 1]) + text_of(stage.follow(turn_id, middle.cursor)) == answer


def test_a_new_attempt_resets_and_late_words_of_the_old_one_are_dropped(stage: Stage) -> None:
    async def scene() -> None:
        turn_id, old = stage.running()
        async with stage.hub() as hub, stage.reader(hub, turn_id) as reader:
            written(old, "wrong ")
            assert isinstance(await reader.next(), Reset)
            assert isinstance(await reader.next(), Text)
            stage.give_back(turn_id)
            new = stage.claim(turn_id)
            written(new, "right ")
            written(old, "zombie ")
            written(new, "words")
            stage.end(turn_id, "right words", new)
            events = await reader.rest()
        assert [event.attempt for event in events if isinstance(event, Reset)] == [2]
        assert text_of(events) == "right words"

    asyncio.run(scene())


def test_a_retry_is_told_and_the_next_attempt_follows(stage: Stage) -> None:
    turn_id, first = stage.running()
    written(first, "half")
    first.retry("Out of memory; trying again.")
    first.flush()
    stage.give_back(turn_id)
    second = stage.claim(turn_id)
    written(second, "whole")
    stage.end(turn_id, "whole", second)

    events = stage.follow(turn_id)

    assert [type(event) for event in events] == [Reset, Text, Retrying, Reset, Text, Ended]
    assert [event.message for event in events if isinstance(event, Retrying)] == ["Out of memory; trying again."]


def test_an_end_that_sql_takes_back_is_not_the_end(stage: Stage) -> None:
    """A failed turn that is asked again keeps its stream, with the old end in it."""
    turn_id, first = stage.running()
    stage.end(turn_id, "", first, TurnState.FAILED)
    with stage.store.write() as repositories:
        assert repositories.turns.reopen(turn_id, stage.turn(turn_id).created_at)

    async def scene() -> None:
        second = stage.claim(turn_id)
        async with stage.hub() as hub, stage.reader(hub, turn_id) as reader:
            assert isinstance(await reader.next(), Reset)
            written(second, "now")
            stage.end(turn_id, "now", second)
            events = await reader.rest()
        assert text_of(events) == ended(events).answer == "now"

    asyncio.run(scene())


def test_a_hundred_readers_of_one_turn_are_told_the_same(stage: Stage) -> None:
    async def scene() -> None:
        turn_id, writer = stage.running()
        async with stage.hub() as hub:
            live = [asyncio.create_task(_all(stage, hub, turn_id)) for _ in range(50)]
            written(writer, *WORDS[:3])
            late = [asyncio.create_task(_all(stage, hub, turn_id)) for _ in range(50)]
            written(writer, *WORDS[3:])
            stage.end(turn_id, "".join(WORDS), writer)
            told = await asyncio.gather(*live, *late)
            assert hub.follower_count == 0
        assert {text_of(events) for events in told} == {"".join(WORDS)}

    asyncio.run(scene())


async def _all(stage: Stage, hub: StreamHub, turn_id: str) -> list[FollowEvent]:
    async with stage.reader(hub, turn_id, FIRST) as reader:
        return await reader.rest()


def test_readers_of_many_turns_do_not_mix(stage: Stage) -> None:
    turn_ids = [_answered(stage, f"answer {n}") for n in range(20)]

    async def scene() -> list[str]:
        async with stage.hub() as hub:
            told = await asyncio.gather(*(_all(stage, hub, turn_id) for turn_id in turn_ids))
        return [text_of(events) for events in told]

    assert asyncio.run(scene()) == [f"answer {n}" for n in range(20)]


def test_who_waits_is_told_the_place_in_the_queue(stage: Stage) -> None:
    async def scene() -> None:
        first, second, third = (stage.ready(person=name) for name in ("ann", "bob", "cy"))
        async with stage.hub() as hub, stage.reader(hub, third) as reader:
            assert (await reader.next()) == Waiting(FIRST, 2)
            stage.claim(first)
            assert (await reader.next()) == Waiting(FIRST, 1)
            stage.claim(second)
            assert (await reader.next()) == Waiting(FIRST, 0)
            writer = stage.claim(third)
            written(writer, "now")
            assert isinstance(await reader.next(), Reset)

    asyncio.run(scene())


def test_stop_ends_the_readers_of_a_waiting_turn(stage: Stage) -> None:
    async def scene() -> Turn:
        turn_id = stage.ready()
        async with stage.hub() as hub, stage.reader(hub, turn_id) as reader:
            assert isinstance(await reader.next(), Waiting)
            assert request_cancel(stage.store, stage.redis, turn_id, TTL_S) is TurnState.CANCELLED
            return ended(await reader.rest())

    assert asyncio.run(scene()).state == TurnState.CANCELLED


def test_a_turn_that_does_not_exist_is_not_waited_for(stage: Stage) -> None:
    with pytest.raises(NotFound):
        stage.follow(new_id())


def test_a_stream_lives_as_long_as_the_setting_says(stage: Stage) -> None:
    turn_id = _answered(stage, *WORDS)

    assert stage.redis.ttl(stream_key(turn_id)) in range(1, TTL_S + 1)


def test_a_burst_is_one_entry(stage: Stage) -> None:
    turn_id, writer = stage.running()
    for word in WORDS:
        writer.text(word)
    writer.flush()
    writer.flush()

    assert stage.redis.xlen(stream_key(turn_id)) == 2
    stage.end(turn_id, "".join(WORDS), writer)
    assert text_of(stage.follow(turn_id)) == "".join(WORDS)
