"""Readers when Redis forgets, is away or holds rubbish: no wrong text is shown, and the end comes from SQL."""

import asyncio
from pathlib import Path
from typing import Any

from core.queue.connect import connect
from core.queue.embedded import EmbeddedRedis
from core.queue.events import Ended, FollowEvent, Reset, Text
from core.queue.follow import FIRST
from core.queue.streams import MAX_ENTRIES, Entry, TurnWriter, stream_key, write_end, write_entries
from core.store.database import Store
from core.values import TurnState
from tests.integration.queue.stage import TTL_S, Reader, Stage, ended, text_of, written


async def _until_text(reader: Reader, text: str) -> str:
    """Read until a piece of text is `text`; its cursor."""
    while True:
        event = await reader.next()
        if isinstance(event, Text) and event.text == text:
            return event.cursor


def test_a_stream_deleted_in_mid_answer_shows_no_wrong_text(stage: Stage) -> None:
    async def scene() -> list[FollowEvent]:
        turn_id, writer = stage.running()
        async with stage.hub() as hub, stage.reader(hub, turn_id) as reader:
            written(writer, "one ")
            await _until_text(reader, "one ")
            # In one transaction: no reader sees the second piece.
            with stage.redis.pipeline(transaction=True) as lost:
                lost.xadd(stream_key(turn_id), Entry(1, "text", 4, "two ").fields())
                lost.delete(stream_key(turn_id))
                lost.execute()
            write_entries(stage.redis, stream_key(turn_id), [Entry(1, "text", 8, "three")], TTL_S)
            stage.end(turn_id, "one two three", writer)
            return await reader.rest()

    events = asyncio.run(scene())

    assert [type(event) for event in events] == [Ended]
    assert ended(events).answer == "one two three"


def test_a_stream_deleted_after_all_was_read_goes_on(stage: Stage) -> None:
    async def scene() -> list[FollowEvent]:
        turn_id, writer = stage.running()
        async with stage.hub() as hub, stage.reader(hub, turn_id) as reader:
            written(writer, "one ")
            await _until_text(reader, "one ")
            stage.redis.flushall()
            written(writer, "two")
            stage.end(turn_id, "one two", writer)
            return await reader.rest()

    assert text_of(asyncio.run(scene())) == "two"


def test_a_reader_who_comes_after_the_deletion_sees_no_half_text(stage: Stage) -> None:
    turn_id, writer = stage.running()
    written(writer, "one ", "two ")
    stage.redis.flushall()
    written(writer, "three")
    stage.end(turn_id, "one two three", writer)

    events = stage.follow(turn_id)

    assert [type(event) for event in events] == [Ended]
    assert ended(events).answer == "one two three"


def test_a_reader_who_resumes_after_the_deletion_sees_no_hole(stage: Stage) -> None:
    async def seen() -> str:
        async with stage.hub() as hub, stage.reader(hub, turn_id) as reader:
            return await _until_text(reader, "one ")

    turn_id, writer = stage.running()
    written(writer, "one ")
    cursor = asyncio.run(seen())
    written(writer, "two ")
    stage.redis.flushall()
    written(writer, "three")
    stage.end(turn_id, "one two three", writer)

    assert [type(event) for event in stage.follow(turn_id, cursor)] == [Ended]


def test_after_a_hole_the_next_attempt_is_shown_whole(stage: Stage) -> None:
    turn_id, first = stage.running()
    written(first, "one ", "two ")
    stage.redis.flushall()
    written(first, "three ")
    stage.give_back(turn_id)
    second = stage.claim(turn_id)
    written(second, "all ", "new")
    stage.end(turn_id, "all new", second)

    events = stage.follow(turn_id)

    assert [type(event) for event in events] == [Reset, Text, Text, Ended]
    assert text_of(events) == "all new"


def test_an_answer_longer_than_the_stream_keeps_is_shown_whole_at_the_end_alone(stage: Stage) -> None:
    turn_id, writer = stage.running()
    for n in range(MAX_ENTRIES + 300):
        # Alternating kinds are not joined, so that each is an entry.
        writer.text(f"{n} ", "text" if n % 2 else "think")
    writer.flush()
    assert stage.redis.xlen(stream_key(turn_id)) <= MAX_ENTRIES + 200
    stage.end(turn_id, "the answer", writer)

    events = stage.follow(turn_id)

    assert [type(event) for event in events] == [Ended]


def test_rubbish_in_a_stream_stops_neither_its_own_reader_nor_others(stage: Stage) -> None:
    spoilt, writer = stage.running()
    healthy, other = stage.running()
    written(writer, "one ")
    rubbish: list[dict[Any, Any]] = [
        {"x": "y"},
        {"a": "?", "k": "text", "o": "0", "t": "x"},
        {"a": "1", "k": b"\xff", "o": "0", "t": "x"},
        {"a": "1", "k": "of a later version", "o": "0", "t": "x"},
    ]
    for fields in rubbish:
        stage.redis.xadd(stream_key(spoilt), fields)
    written(writer, "two")

    async def scene() -> tuple[list[FollowEvent], list[FollowEvent]]:
        async with stage.hub() as hub:
            async with stage.reader(hub, spoilt) as first, stage.reader(hub, healthy) as second:
                await _until_text(first, "one ")
                written(other, "fine ")
                await _until_text(second, "fine ")
                written(other, "too")
                for turn_id, answer, a_writer in ((spoilt, "one two", writer), (healthy, "fine too", other)):
                    stage.end(turn_id, answer, a_writer)
                return await first.rest(), await second.rest()

    of_spoilt, of_healthy = asyncio.run(scene())

    assert text_of(of_healthy) == "too"
    # Whether the rubbish stood for text is not known, so nothing behind it is shown before the end.
    assert text_of(of_spoilt) == ""
    assert ended(of_spoilt).answer == "one two"


def test_an_end_without_a_final_row_ends_nothing(stage: Stage) -> None:
    async def scene() -> list[FollowEvent]:
        turn_id, writer = stage.running()
        async with stage.hub() as hub, stage.reader(hub, turn_id) as reader:
            write_end(stage.redis, turn_id, 1, TTL_S)
            written(writer, "still here")
            await _until_text(reader, "still here")
            stage.end(turn_id, "still here", writer)
            return await reader.rest()

    assert [type(event) for event in asyncio.run(scene())] == [Ended]


def test_a_lost_end_is_found_in_sql(stage: Stage) -> None:
    turn_id, writer = stage.running()
    written(writer, "all of it")
    stage.finish(turn_id, "all of it")

    events = stage.follow(turn_id)

    assert text_of(events) == ended(events).answer == "all of it"


def test_without_redis_readers_wait_for_sql(stage: Stage) -> None:
    nowhere = "unix:///nowhere/redis.sock"

    async def scene() -> list[list[FollowEvent]]:
        done, _ = stage.running()
        stage.finish(done, "done before")
        later, _ = stage.running()
        async with stage.hub(nowhere) as hub:
            async with stage.reader(hub, done, "5-5") as first, stage.reader(hub, later, FIRST) as second:
                before = await first.rest()
                written(TurnWriter(connect(nowhere), later, 1, TTL_S), "lost words")
                stage.finish(later, "done later", TurnState.FAILED)
                return [before, await second.rest()]

    before, later = asyncio.run(scene())

    assert [type(event) for event in before + later] == [Ended, Ended]
    assert ended(before).answer == "done before"
    assert ended(later).state == TurnState.FAILED


def test_redis_ends_and_comes_back_in_mid_answer(sqlite_store: Store, tmp_path: Path) -> None:
    async def scene(server: EmbeddedRedis) -> tuple[list[FollowEvent], list[FollowEvent]]:
        stage = Stage(sqlite_store, server.client(), server.url)
        ends_meanwhile, one = stage.running()
        goes_on, two = stage.running()
        async with stage.hub() as hub:
            async with stage.reader(hub, ends_meanwhile) as first, stage.reader(hub, goes_on) as second:
                for writer, reader in ((one, first), (two, second)):
                    written(writer, "begun ")
                    await _until_text(reader, "begun ")
                server.stop()
                stage.finish(ends_meanwhile, "begun and ended")
                meanwhile = await first.rest()
                server.start()
                written(two, "and gone on")
                await _until_text(second, "and gone on")
                stage.finish(goes_on, "begun and gone on")
                return meanwhile, await second.rest()

    with EmbeddedRedis(tmp_path / "redis.sock", tmp_path) as server:
        meanwhile, after = asyncio.run(scene(server))

    assert ended(meanwhile).answer == "begun and ended"
    assert ended(after).answer == "begun and gone on"


def test_the_hub_ends_while_its_readers_still_wait(stage: Stage) -> None:
    async def scene() -> int:
        async with stage.hub() as hub:
            async with stage.reader(hub, stage.running()[0]) as first, stage.reader(hub, stage.ready()) as second:
                waiting = asyncio.create_task(first.next())
                await second.next()
                await hub.__aexit__(None, None, None)
                assert not waiting.done()
                waiting.cancel()
                await asyncio.gather(waiting, return_exceptions=True)
            return hub.follower_count

    assert asyncio.run(scene()) == 0
