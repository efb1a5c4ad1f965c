"""Following one answer at a pace: what comes between two updates is told once, and the end always."""

from contextlib import aclosing

import pytest

from bots.chat.follow import Again, Cadence, Done, InQueue, Looking, Progress, Writing, follow
from core.errors import NotFound
from core.values import TurnState, new_id
from tests.integration.chat.office import Office, in_office

AT_ONCE, NEVER = Cadence(0.0, 0.0), Cadence(3600.0, 3600.0)


@in_office
async def test_everything_is_told_where_there_is_time(office: Office) -> None:
    earlier = await office.ask(place="elsewhere")
    asked = await office.ask()
    async with aclosing(follow(office.services.hub, asked.turn_id, AT_ONCE)) as progress:
        assert await anext(progress) == InQueue(1)
        office.claim(earlier.turn_id).end("Yes.")
        assert await anext(progress) == InQueue(0)
        work = office.claim(asked.turn_id)
        work.say("A yellow")
        seen: list[Progress] = [await anext(progress)]
        while seen[-1] != Writing("A yellow"):
            assert seen[-1] == Looking()
            seen.append(await anext(progress))
        work.say(" star")
        assert await anext(progress) == Writing("A yellow star")
        work.end("A yellow star.")
        done = await anext(progress)
        assert isinstance(done, Done)
        assert (done.turn.state, done.turn.answer) == (TurnState.ANSWERED, "A yellow star.")
        with pytest.raises(StopAsyncIteration):
            await anext(progress)


@in_office
async def test_between_two_updates_only_the_last_state_counts_and_the_end_waits_for_nothing(office: Office) -> None:
    asked = await office.ask()
    office.claim(asked.turn_id).say(*"A yellow star").end("A yellow star.")
    told = [news async for news in follow(office.services.hub, asked.turn_id, NEVER)]
    assert [type(news) for news in told] == [Done]


@in_office
async def test_at_a_slow_pace_less_is_told_and_the_end_all_the_same(office: Office) -> None:
    asked = await office.ask()
    office.claim(asked.turn_id).say(*"A yellow star").end("A yellow star.")
    hub, every_second = office.services.hub, Cadence(1.0, 1.0)
    told = [news async for news in follow(hub, asked.turn_id, every_second, pace=lambda: 3600.0)]
    assert [type(news) for news in told] == [Done]


@in_office
async def test_thinking_is_told_only_where_it_is_wanted(office: Office) -> None:
    asked = await office.ask()
    work = office.claim(asked.turn_id)
    hub = office.services.hub
    async with aclosing(follow(hub, asked.turn_id, AT_ONCE, show_thinking=True)) as open_minded:
        async with aclosing(follow(hub, asked.turn_id, AT_ONCE)) as quiet:
            work.writer.text("Hm.", "think")
            work.writer.flush()
            while (news := await anext(open_minded)) != Writing("", "Hm."):
                assert isinstance(news, Looking)
            assert await anext(quiet) == Looking()
            work.say("A star.")
            assert await anext(quiet) == Writing("A star.")
            assert await anext(open_minded) == Writing("A star.", "Hm.")


@in_office
async def test_a_new_attempt_begins_with_an_empty_page(office: Office) -> None:
    asked = await office.ask()
    work = office.claim(asked.turn_id)
    async with aclosing(follow(office.services.hub, asked.turn_id, AT_ONCE)) as progress:
        work.say("A yel")
        while await anext(progress) != Writing("A yel"):
            pass
        work.writer.retry("The model stumbled.")
        work.writer.flush()
        assert await anext(progress) == Again("The model stumbled.")


@in_office
async def test_a_turn_that_does_not_exist_is_said_to(office: Office) -> None:
    with pytest.raises(NotFound):
        await anext(follow(office.services.hub, new_id(), AT_ONCE))
