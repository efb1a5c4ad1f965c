"""Answers on their way to a platform: shown while they are written, whole in the end, each message once."""

import asyncio
from pathlib import Path

import pytest

from bots.chat.deliver import FEW, Deliverer
from bots.chat.platform import Address, LeftOut, Part, SendFailed, SendRefused
from core.conversation.inbound import Refused
from core.errors import PictureBroken
from core.values import TurnState
from tests.integration.chat.office import Office, Opened, Work, in_office, office
from tests.integration.chat.pigeons import LIMIT, Killed, Pigeons, limited

LONG = "\n\n".join(f"Paragraph {number}. " + "word " * 20 for number in range(3))


async def begun(office: Office, deliverer: Deliverer, pigeons: Pigeons) -> Work:
    """A question of which "A yellow" is shown already."""
    asked = await office.ask()
    deliverer.begin(asked.turn_id)
    work = office.claim(asked.turn_id).say("A yellow")
    await pigeons.until(asked.turn_id, "A yellow")
    return work


def carrying(office: Office, pigeons: Pigeons, lease_s: float = 15.0) -> Deliverer:
    return Deliverer(pigeons, office.services, lease_s=lease_s, poll_s=0.05)


@in_office
async def test_an_answer_is_shown_while_it_is_written_and_ends_in_the_same_message(office: Office) -> None:
    pigeons = Pigeons()
    async with carrying(office, pigeons) as deliverer:
        work = await begun(office, deliverer, pigeons)
        work.say(" star").end("A yellow star.")
        await office.until_sent(work.turn.id)
    (message,) = pigeons.shown(work.turn.id)
    assert message.text == "A yellow star."
    assert [button.label for button in message.buttons] == ["👍", "👎"]
    delivery, posts = office.delivery(work.turn.id)
    assert [(post.external_id, post.complete) for post in posts] == [(delivery.external_id, True)]
    assert office.turn(work.turn.id).state == TurnState.DELIVERED


@in_office
async def test_while_questions_wait_for_their_commit_answers_are_brought_whole_and_not_shown_before(
    office: Office,
) -> None:
    pigeons = Pigeons()
    always = Deliverer(pigeons, office.services, poll_s=0.05, pressed_s=-1.0)
    asked = [await office.ask(person=f"p{n}", place=f"chat {n}") for n in range(FEW + 2)]
    async with always:
        for one in asked:
            always.begin(one.turn_id)
            office.claim(one.turn_id).say("A yellow").end("A yellow star.")
        for one in asked:
            await office.until_sent(one.turn_id)
    for one in asked:
        assert [message.versions for message in pigeons.shown(one.turn_id)] == [["A yellow star."]]


@in_office
async def test_where_nothing_stays_of_the_live_view_one_message_is_sent_in_the_end(office: Office) -> None:
    pigeons = Pigeons(stays=False)
    async with carrying(office, pigeons) as deliverer:
        work = await begun(office, deliverer, pigeons)
        work.end("A yellow star.")
        await office.until_sent(work.turn.id)
    assert [message.versions for message in pigeons.shown(work.turn.id)] == [["A yellow star."]]
    assert "find" not in pigeons.calls


class Slow(Pigeons):
    """The platform's first answer to a message takes until `answer` is set."""

    answer: asyncio.Event

    async def send(self, address: Address, part: Part) -> str:
        post = await super().send(address, part)
        if not self.answer.is_set():
            await self.answer.wait()
        return post


@in_office
async def test_who_asks_for_another_try_before_the_failure_was_noted_as_told_has_his_answer(office: Office) -> None:
    pigeons = Slow(stays=False)
    pigeons.answer = asyncio.Event()
    async with carrying(office, pigeons) as deliverer:
        asked = await office.ask()
        deliverer.begin(asked.turn_id)
        office.claim(asked.turn_id).end("", TurnState.FAILED, error_code="engine_error", error_message="It stumbled.")
        await pigeons.until_called("after send", 1)
        (telling,) = [task for task in asyncio.all_tasks() if task.get_name().startswith("delivery-")]
        seen = pigeons.calls.count("status")
        assert (await office.say("retry")).turn_id == asked.turn_id
        deliverer.begin(asked.turn_id)
        # The same process has taken it again.
        await pigeons.until_called("status", seen + 1)
        pigeons.answer.set()
        await telling
        office.claim(asked.turn_id).end("A yellow star.")
        await office.until_sent(asked.turn_id)
    assert [message.text for message in pigeons.shown(asked.turn_id)][-1] == "A yellow star."


@in_office
async def test_what_was_answered_while_nobody_was_there_is_found(office: Office) -> None:
    turn_ids = [await office.answered(answer=f"Answer {n}.", place=f"chat {n}") for n in range(3)]
    pigeons = Pigeons()
    async with carrying(office, pigeons):
        for turn_id in turn_ids:
            await office.until_sent(turn_id)
    assert [[m.text for m in pigeons.shown(turn_id)] for turn_id in turn_ids] == [
        ["Answer 0."],
        ["Answer 1."],
        ["Answer 2."],
    ]


@in_office
async def test_a_long_answer_is_several_messages_and_the_last_one_has_the_buttons(office: Office) -> None:
    pigeons = Pigeons()
    turn_id = await office.answered(answer=LONG)
    async with carrying(office, pigeons):
        await office.until_sent(turn_id)
    shown = pigeons.shown(turn_id)
    assert [message.text.strip() for message in shown] == [part.strip() for part in LONG.split("\n\n")]
    assert all(len(message.text) <= LIMIT for message in shown)
    assert [bool(message.buttons) for message in shown] == [False, False, True]


@pytest.mark.parametrize("moment", ["send", "after send"])
@in_office
async def test_a_process_that_is_killed_between_messages_doubles_and_loses_none(office: Office, moment: str) -> None:
    pigeons = Pigeons()
    turn_id = await office.answered(answer=LONG)
    for _ in range(3):
        # Killed at the first message, then at the next …
        pigeons.failures[moment] = [Killed()]
        async with carrying(office, pigeons, lease_s=0.2):
            await pigeons.until_failed(moment)
    async with carrying(office, pigeons, lease_s=0.2):
        await office.until_sent(turn_id)
    assert [message.position for message in pigeons.shown(turn_id)] == [0, 1, 2]
    assert office.delivery(turn_id)[0].attempts == 4


@pytest.mark.parametrize("moment", ["after write", "write"])
@in_office
async def test_a_process_that_is_killed_while_the_answer_is_written_is_followed_by_the_next(
    office: Office, moment: str
) -> None:
    pigeons = Pigeons()
    asked = await office.ask()
    work = office.claim(asked.turn_id)
    pigeons.failures[moment] = [Killed()]
    async with carrying(office, pigeons, lease_s=0.2) as first:
        first.begin(asked.turn_id)
        work.say("A yellow")
        await pigeons.until_failed(moment)
    async with carrying(office, pigeons, lease_s=0.2):
        work.say(" star").end("A yellow star.")
        await office.until_sent(asked.turn_id)
    assert [message.text for message in pigeons.shown(asked.turn_id)] == ["A yellow star."]


@in_office
async def test_a_process_that_stops_hands_over_at_once_and_the_message_goes_on(office: Office, opened: Opened) -> None:
    pigeons = Pigeons()
    async with carrying(office, pigeons, lease_s=3600) as first:
        work = await begun(office, first, pigeons)
    assert pigeons.calls[-1] == "leave"
    assert office.delivery(work.turn.id)[0].state == "pending"
    async with opened() as next_office, carrying(next_office, pigeons, lease_s=3600):
        work.say(" star").end("A yellow star.")
        await office.until_sent(work.turn.id)
    assert [message.text for message in pigeons.shown(work.turn.id)] == ["A yellow star."]


@in_office
async def test_two_processes_bring_each_answer_once(office: Office, opened: Opened) -> None:
    pigeons = Pigeons()
    async with opened() as other, carrying(office, pigeons) as one, carrying(other, pigeons) as two:
        turn_ids = [await office.answered(place=f"chat {n}") for n in range(12)]
        for turn_id in turn_ids:
            one.begin(turn_id)
            two.begin(turn_id)
        for turn_id in turn_ids:
            await office.until_sent(turn_id)
    assert [len(pigeons.shown(turn_id)) for turn_id in turn_ids] == [1] * 12


@in_office
async def test_a_platform_that_wants_a_pause_gets_it_and_then_the_answer(office: Office) -> None:
    pigeons = Pigeons()
    pigeons.failures["send"] = [limited(0.05), ValueError("a mistake of ours")]
    turn_id = await office.answered()
    async with carrying(office, pigeons):
        await office.until_sent(turn_id)
    assert [message.text for message in pigeons.shown(turn_id)] == ["A star."]
    assert office.delivery(turn_id)[0].attempts == 3


@in_office
async def test_a_time_out_whose_message_got_through_is_not_sent_again(office: Office) -> None:
    pigeons = Pigeons()
    pigeons.failures["after send"] = [SendFailed("timed out")]
    turn_id = await office.answered()
    async with carrying(office, pigeons):
        await office.until_sent(turn_id)
    assert [message.text for message in pigeons.shown(turn_id)] == ["A star."]
    assert "find" in pigeons.calls


@in_office
async def test_what_can_never_be_sent_is_given_up(office: Office) -> None:
    pigeons = Pigeons()
    pigeons.failures["send"] = [SendRefused("kicked out")]
    turn_id = await office.answered()
    async with carrying(office, pigeons):
        await office.until_sent(turn_id, "failed")
    assert pigeons.shown(turn_id) == []
    assert office.delivery(turn_id)[0].error_message == "kicked out"
    assert office.turn(turn_id).state == TurnState.ANSWERED


@in_office
async def test_a_live_view_that_fails_costs_nothing_of_the_answer(office: Office) -> None:
    pigeons = Pigeons()
    pigeons.failures["write"] = [SendRefused("no streams here")]
    asked = await office.ask()
    async with carrying(office, pigeons) as deliverer:
        deliverer.begin(asked.turn_id)
        work = office.claim(asked.turn_id).say("A yellow")
        await pigeons.until_failed("write")
        work.say(" star").end("A yellow star.")
        await office.until_sent(asked.turn_id)
    assert [message.text for message in pigeons.shown(asked.turn_id)] == ["A yellow star."]


@in_office
async def test_what_had_no_room_is_shown_a_moment_later_though_nothing_new_comes(office: Office) -> None:
    pigeons = Pigeons()
    pigeons.failures["write"] = [LeftOut(), limited(0.1)]
    async with carrying(office, pigeons) as deliverer:
        work = await begun(office, deliverer, pigeons)
        assert pigeons.calls.count("write") == 3
        work.end("A yellow star.")
        await office.until_sent(work.turn.id)
    assert [message.text for message in pigeons.shown(work.turn.id)] == ["A yellow star."]


@in_office
async def test_a_message_that_somebody_deleted_is_replaced(office: Office) -> None:
    pigeons = Pigeons()
    async with carrying(office, pigeons) as deliverer:
        work = await begun(office, deliverer, pigeons)
    pigeons.messages.clear()
    async with carrying(office, pigeons):
        work.end("A yellow star.")
        await office.until_sent(work.turn.id)
    assert [message.text for message in pigeons.shown(work.turn.id)] == ["A yellow star."]


@in_office
async def test_unreadable_files_are_named_and_failures_said_in_the_persons_language(office: Office) -> None:
    pigeons = Pigeons()
    broken = Refused("cat.heic", "picture_broken", PictureBroken.user_message)
    asked = await office.ask(refused=(broken,), locale="zh-CN")
    failure = "The answer took too long. Please ask again, or ask for something shorter."
    office.claim(asked.turn_id).end(state=TurnState.FAILED, error_code="deadline_exceeded", error_message=failure)
    async with carrying(office, pigeons) as deliverer:
        await office.until_sent(asked.turn_id)
        (first,) = pigeons.shown(asked.turn_id)
        assert first.text == (
            "> 无法使用 cat.heic：这个文件已损坏或不完整。请重新发送。\n"
            "> 回答花的时间太长。请再问一次，或问得简短一些。"
        )
        (again,) = first.buttons
        reply = await office.press(again.value)
        assert reply.turn_id == asked.turn_id
        deliverer.begin(asked.turn_id)
        office.claim(asked.turn_id).end("一颗星。")
        await office.until_sent(asked.turn_id)
    # A new message, below whatever was said meanwhile.
    assert [message.text for message in pigeons.shown(asked.turn_id)][1].startswith("一颗星。\n\n> 无法使用 cat.heic")


@pytest.mark.parametrize("lease_s", [15.0, 0.5])
@in_office
async def test_a_question_that_is_erased_while_it_is_answered_leaves_no_answer_behind(
    office: Office, lease_s: float
) -> None:
    pigeons = Pigeons()
    # With a short one a heartbeat notices first that the delivery is gone. A busy machine outlasts a shorter one.
    async with carrying(office, pigeons, lease_s=lease_s) as deliverer:
        work = await begun(office, deliverer, pigeons)
        confirm = (await office.say("forget")).buttons[0]
        assert (await office.press(confirm.value)).text.startswith("Erased: 1 question ")
        if lease_s > 1:
            work.say(" star")
        await pigeons.until(work.turn.id, "This question was erased.")
    assert [message.text for message in pigeons.shown(work.turn.id)] == ["This question was erased."]


@in_office
async def test_boxes_come_with_the_picture_that_they_are_in(office: Office) -> None:
    pigeons = Pigeons()
    boxes = ({"label": "star", "left": 0.1, "top": 0.1, "right": 0.5, "bottom": 0.5},)
    one, two = await office.ask(pictures=1), await office.ask(pictures=2, place="other")
    follow_up = await office.ask("And where is it now?")
    for asked in (one, two, follow_up):
        office.claim(asked.turn_id).end("Here.", boxes=boxes)
    async with carrying(office, pigeons):
        for asked in (one, two, follow_up):
            await office.until_sent(asked.turn_id)
    # Of two pictures nobody knows which is meant; a follow-up is about the picture before it.
    shown = [[(m.text, m.pictures) for m in pigeons.shown(asked.turn_id)] for asked in (one, two, follow_up)]
    assert shown == [[("Here.", 0), ("1. star", 1)], [("Here.", 0)], [("Here.", 0), ("1. star", 1)]]


def test_without_redis_the_answer_comes_all_the_same(tmp_path: Path, sqlite_url: str) -> None:
    @in_office
    async def scenario(office: Office) -> None:
        pigeons = Pigeons()
        async with carrying(office, pigeons) as deliverer:
            asked = await office.ask()
            deliverer.begin(asked.turn_id)
            office.claim(asked.turn_id).say("A yellow star.").end("A yellow star.")
            await office.until_sent(asked.turn_id)
        assert [message.text for message in pigeons.shown(asked.turn_id)] == ["A yellow star."]

    scenario(lambda: office(tmp_path, sqlite_url, "unix:///nowhere/redis.sock"))
