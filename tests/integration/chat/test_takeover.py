"""An admin answers in a chat: each of his words arrives once and in order, on both databases."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from bots.chat.deliver import Deliverer
from core.conversation.takeover import return_idle
from core.errors import EmptyQuestion, EventKeyReused, NotFound, NotTaken, TakenByAnother
from core.queue.embedded import EmbeddedRedis
from core.store.models import Attachment, Conversation, Delivery, Turn
from core.values import TurnState, new_id, utc_now
from tests.integration.chat.office import Office, Opened, in_office, office
from tests.integration.chat.pigeons import Killed, Pigeons, Shown
from tests.integration.operating import Operator
from tests.processes import until

TAKEN = "A person answers you here now, and I stay silent meanwhile."
BACK = "I answer here again."


@pytest.fixture
def opened(tmp_path: Path, sql_url: str, chat_redis: EmbeddedRedis) -> Opened:
    """A bots process on either database."""
    return lambda: office(tmp_path, sql_url, chat_redis.url)


def operator(office: Office) -> Operator:
    services = office.services
    return Operator(services.store, services.sync_redis, services.settings)


def carrying(office: Office, pigeons: Pigeons, lease_s: float = 15.0) -> Deliverer:
    return Deliverer(pigeons, office.services, lease_s=lease_s, poll_s=0.05)


def conversation(office: Office, conversation_id: str) -> Conversation:
    with office.services.store.read() as repositories:
        found = repositories.conversations.get(conversation_id)
    assert found is not None
    return found


def turns(office: Office, conversation_id: str) -> list[tuple[str, str]]:
    """All questions with their answers."""
    with office.services.store.read() as repositories:
        return [(turn.question, turn.answer) for turn in repositories.turns.of_conversation(conversation_id)]


async def brought(office: Office) -> None:
    """Until nothing is on its way any more."""

    def left() -> int:
        with office.services.store.read() as repositories:
            states = repositories.session.query(Delivery.state).filter(Delivery.state.in_(["pending", "sending"]))
            return states.count()

    await asyncio.to_thread(until, lambda: left() == 0, "everything is there")


def texts(pigeons: Pigeons) -> Sequence[str]:
    return [message.text for message in pigeons.messages.values()]


async def taken_over(office: Office, pigeons: Pigeons, locale: str = "") -> tuple[str, Operator]:
    """A conversation with an answer, which an admin has taken over; its id."""
    asked = await office.ask("A dress?", locale=locale)
    office.claim(asked.turn_id).end("A red dress.")
    await office.until_sent(asked.turn_id)
    pigeons.messages.clear()
    anna = operator(office)
    anna.take(asked.conversation_id)
    return asked.conversation_id, anna


@in_office
async def test_his_words_answer_the_last_question_or_stand_for_themselves(office: Office) -> None:
    pigeons = Pigeons()
    async with carrying(office, pigeons):
        thread, anna = await taken_over(office, pigeons)
        first = await office.ask("Is it in stock?")
        second = await office.ask("In size 38?")
        assert [office.turn(one.turn_id).state for one in (first, second)] == ["handed_over"] * 2
        answered = anna.say(thread, "It is.")
        besides = anna.say(thread, "It *costs* 20 €: https://shop.example/1")
        await brought(office)
    assert answered == second.turn_id
    assert turns(office, thread) == [
        ("A dress?", "A red dress."),
        ("Is it in stock?", ""),
        ("In size 38?", "It is."),
        ("", "It *costs* 20 €: https://shop.example/1"),
    ]
    # In order, as he wrote them, without buttons.
    assert texts(pigeons) == [TAKEN, "It is.", "It *costs* 20 €: https://shop.example/1"]
    assert all(not message.buttons for message in pigeons.messages.values())
    assert office.turn(besides).state == TurnState.DELIVERED
    assert office.turn(besides).answered_by == anna.admin_id
    assert anna.did == ["took over", "wrote", "wrote"]


@in_office
async def test_an_answer_that_runs_is_stopped_and_what_waits_is_left_to_him(office: Office) -> None:
    pigeons = Pigeons()
    async with carrying(office, pigeons) as deliverer:
        asked, waiting = await office.ask("Now?"), await office.ask("And then?")
        deliverer.begin(asked.turn_id)
        work = office.claim(asked.turn_id).say("Let me")
        await pigeons.until(asked.turn_id, "Let me")
        anna = operator(office)
        anna.take(asked.conversation_id)
        assert office.turn(asked.turn_id).cancel_requested
        work.end("Let me", TurnState.CANCELLED)
        assert anna.say(asked.conversation_id, "I know it.") == waiting.turn_id
        await brought(office)
    assert [message.text for message in pigeons.shown(asked.turn_id)] == ["Let me\n\n> Stopped."]
    assert TAKEN in texts(pigeons)
    assert [text for text in texts(pigeons) if text == "I know it."] == ["I know it."]


@in_office
async def test_pictures_come_under_his_words_once_and_are_no_part_of_the_question(office: Office) -> None:
    pigeons = Pigeons()
    async with carrying(office, pigeons):
        thread, anna = await taken_over(office, pigeons)
        asked = await office.ask("How does it look?", pictures=1)
        anna.say(thread, "Like this.", [anna.picture("blue"), anna.picture("green")])
        anna.say(thread, "w" * 101, [anna.picture("red")])
        await brought(office)
    shown = [(message.text, message.pictures) for message in pigeons.messages.values()]
    assert shown == [(TAKEN, 0), ("Like this.", 1), ("", 1), ("w" * 101, 0), ("", 1)]
    turn = office.turn(asked.turn_id)
    assert [a.name for a in turn.attachments] == ["a.png"]
    assert [a.name for a in turn.answer_pictures] == ["blue.webp", "green.webp"]


@in_office
async def test_the_same_form_says_the_same_once(office: Office) -> None:
    pigeons = Pigeons()
    async with carrying(office, pigeons):
        thread, anna = await taken_over(office, pigeons)
        key = new_id()
        # A double click, a reload, a retry after a lost answer.
        at_once = [asyncio.to_thread(anna.say, thread, "Once.", (), key) for _ in range(4)]
        assert len(set(await asyncio.gather(*at_once))) == 1
        with pytest.raises(EventKeyReused):
            anna.say(thread, "Other words.", key=key)
        anna.back(thread)
        # Also when it is over, it was said.
        anna.say(thread, "Once.", key=key)
        with pytest.raises(NotTaken):
            anna.say(thread, "Too late.")
        await brought(office)
    assert texts(pigeons) == [TAKEN, "Once.", BACK]


@in_office
async def test_nothing_is_no_message(office: Office) -> None:
    pigeons = Pigeons()
    async with carrying(office, pigeons):
        thread, anna = await taken_over(office, pigeons)
        with pytest.raises(EmptyQuestion):
            anna.say(thread, " \n")
        with pytest.raises(NotFound):
            anna.take(new_id())
        with pytest.raises(NotFound):
            anna.say(new_id(), "Hello?")
    assert anna.did == ["took over"]


@in_office
async def test_of_two_admins_one_answers_and_the_other_may_take_over_from_him(office: Office) -> None:
    pigeons = Pigeons()
    async with carrying(office, pigeons):
        thread, anna = await taken_over(office, pigeons)
        ben = operator(office)
        with pytest.raises(TakenByAnother):
            ben.take(thread)
        with pytest.raises(NotTaken):
            ben.say(thread, "I am here, too.")
        # Deliberately, and the chat hears nothing of it: a person answers as before.
        ben.take(thread, instead_of=anna.admin_id)
        ben.take(thread, instead_of=anna.admin_id)
        ben.say(thread, "It is me now.")
        with pytest.raises(NotTaken):
            anna.say(thread, "But I …")
        with pytest.raises(TakenByAnother):
            anna.back(thread)
        ben.back(thread)
        ben.back(thread)
        await brought(office)
    assert texts(pigeons) == [TAKEN, "It is me now.", BACK]
    assert ben.did == ["took over", "wrote", "handed back"]


@in_office
async def test_of_many_who_take_over_at_once_one_does(office: Office) -> None:
    pigeons = Pigeons()
    async with carrying(office, pigeons):
        asked = await office.ask()
        admins = [operator(office) for _ in range(6)]
        tries = [asyncio.to_thread(admin.take, asked.conversation_id) for admin in admins]
        outcomes = await asyncio.gather(*tries, return_exceptions=True)
        await brought(office)
    refused = [outcome for outcome in outcomes if outcome is not None]
    assert [type(outcome) for outcome in refused] == [TakenByAnother] * 5
    assert list(texts(pigeons)).count(TAKEN) == 1


@in_office
async def test_handed_back_the_model_answers_what_is_asked_then_and_what_was_left_if_so_chosen(office: Office) -> None:
    pigeons = Pigeons()
    async with carrying(office, pigeons):
        thread, anna = await taken_over(office, pigeons)
        left = await office.ask("Left aside?")
        anna.back(thread)
        await brought(office)
        now = await office.ask("And now?")
        office.claim(now.turn_id).end("Here I am.")
        await office.until_sent(now.turn_id)
        assert office.turn(left.turn_id).state == "handed_over"
        await brought(office)
        assert texts(pigeons)[:2] == [TAKEN, f"{BACK} Please ask what is still open once more."]
        anna.take(thread)
        anna.say(thread, "Good day.")
        first, second = await office.ask("Still open?"), await office.ask("This, too?")
        anna.back(thread, answer_open=True)
        for one in (first, second):
            assert office.turn(one.turn_id).state == "ready"
            office.claim(one.turn_id).end(f"Yes, {one.turn_id[-4:]}.")
            await office.until_sent(one.turn_id)
        await brought(office)
    assert texts(pigeons)[-3:] == [BACK, f"Yes, {first.turn_id[-4:]}.", f"Yes, {second.turn_id[-4:]}."]
    assert not conversation(office, thread).taken_by


@in_office
async def test_left_alone_it_returns_to_the_model_which_answers_what_was_left(office: Office) -> None:
    pigeons = Pigeons()
    async with carrying(office, pigeons):
        thread, anna = await taken_over(office, pigeons)
        anna.say(thread, "One moment, please.")
        left = await office.ask("Are you still there?")
        store, last = office.services.store, conversation(office, thread).operator_at
        assert last is not None
        assert return_idle(store, 60, 5, last + timedelta(seconds=59)) == []
        assert return_idle(store, 60, 5, last + timedelta(seconds=61)) == [thread]
        assert return_idle(store, 60, 5, last + timedelta(seconds=61)) == []
        office.claim(left.turn_id).end("I am.")
        await office.until_sent(left.turn_id)
        await brought(office)
        with pytest.raises(NotTaken):
            anna.say(thread, "Sorry, I was away.")
    gone = "The person has left this conversation. I answer here again."
    assert texts(pigeons) == [TAKEN, "One moment, please.", gone, "I am."]


@in_office
async def test_what_he_does_keeps_it_from_returning(office: Office) -> None:
    pigeons = Pigeons()
    async with carrying(office, pigeons):
        thread, anna = await taken_over(office, pigeons)
        later = utc_now() + timedelta(seconds=120)
        with office.services.store.write() as repositories:
            assert repositories.takeovers.act(thread, anna.admin_id, later) is not None
        assert return_idle(office.services.store, 60, 5, later + timedelta(seconds=59)) == []


@in_office
async def test_of_many_questions_that_were_left_only_the_latest_are_answered(office: Office) -> None:
    pigeons = Pigeons()
    async with carrying(office, pigeons):
        await taken_over(office, pigeons)
        asked = [await office.ask(f"Hello {n}?") for n in range(4)]
        return_idle(office.services.store, 0, 2, utc_now() + timedelta(seconds=1))
    states = [office.turn(one.turn_id).state for one in asked]
    assert states == ["handed_over", "handed_over", "ready", "ready"]


@in_office
async def test_it_is_said_in_the_language_of_the_person(office: Office) -> None:
    pigeons = Pigeons()
    async with carrying(office, pigeons):
        thread, anna = await taken_over(office, pigeons, locale="zh-CN")
        anna.back(thread)
        await brought(office)
    assert len(pigeons.messages) == 2
    assert all("\u4e00" <= text[0] <= "\u9fff" for text in texts(pigeons))


@in_office
async def test_the_person_may_have_the_model_back(office: Office) -> None:
    pigeons = Pigeons()
    async with carrying(office, pigeons):
        thread, anna = await taken_over(office, pigeons)
        (button,) = (await office.say("human")).buttons
        await office.press(button.value)
        assert not conversation(office, thread).taken_by
        with pytest.raises(NotTaken):
            anna.say(thread, "Hello?")


@in_office
async def test_who_asked_for_a_person_is_told_that_one_is_there(office: Office) -> None:
    pigeons = Pigeons()
    async with carrying(office, pigeons):
        asked = await office.ask("Hello?")
        await office.say("human")
        anna = operator(office)
        anna.take(asked.conversation_id)
        assert anna.say(asked.conversation_id, "Good day.") == asked.turn_id
        await brought(office)
    assert texts(pigeons) == [TAKEN, "Good day."]


@in_office
async def test_what_comes_later_waits_for_what_comes_first(office: Office) -> None:
    pigeons = Pigeons()
    async with carrying(office, pigeons):
        thread, anna = await taken_over(office, pigeons)
        await brought(office)
        pigeons.failures["send"] = [OSError("away"), OSError("away")]
        anna.say(thread, "First.")
        anna.say(thread, "Second.")
        anna.back(thread)
        await brought(office)
    assert texts(pigeons) == [TAKEN, "First.", "Second.", BACK]


@pytest.mark.parametrize("moment", ["send", "after send"])
@in_office
async def test_a_process_that_dies_around_his_message_leaves_one(office: Office, moment: str, opened: Opened) -> None:
    pigeons = Pigeons()
    async with carrying(office, pigeons, lease_s=0.5):
        thread, anna = await taken_over(office, pigeons)
        await brought(office)
        pigeons.failures[moment] = [Killed()]
        anna.say(thread, "Once.", [anna.picture()])
        await pigeons.until_failed(moment)
    async with opened() as next_process, carrying(next_process, pigeons):
        await brought(next_process)
    said = [message for message in pigeons.messages.values() if message.text == "Once."]
    assert [message.pictures for message in said] == [1]


@in_office
async def test_the_place_of_his_answer_is_no_message_of_an_earlier_one(office: Office, opened: Opened) -> None:
    """What was shown before a turn was handed over carries its id; his words must not be taken for it."""
    pigeons = Pigeons()
    async with carrying(office, pigeons, lease_s=0.5):
        asked = await office.ask("In the middle?")
        pigeons.messages["old"] = Shown(asked.turn_id, 0, ["A person will answer you here."])
        anna = operator(office)
        anna.take(asked.conversation_id)
        await brought(office)
        pigeons.failures["after send"] = [Killed()]
        anna.say(asked.conversation_id, "Here.")
        await pigeons.until_failed("after send")
    async with opened() as next_process, carrying(next_process, pigeons):
        await brought(next_process)
    assert pigeons.messages["old"].text == "A person will answer you here."
    assert list(texts(pigeons)).count("Here.") == 1


@in_office
async def test_whoever_is_forgotten_takes_along_what_was_said_to_him(office: Office) -> None:
    pigeons = Pigeons()
    async with carrying(office, pigeons):
        thread, anna = await taken_over(office, pigeons)
        await office.ask("Who am I?")
        anna.say(thread, "Ann.", [anna.picture()])
        anna.say(thread, "Or are you?")
        await brought(office)
        (yes, *_) = (await office.say("forget")).buttons
        await office.press(yes.value)
        with pytest.raises(NotFound):
            anna.say(thread, "Hello?")
    with office.services.store.read() as repositories:
        assert [repositories.session.query(table).count() for table in (Turn, Attachment, Delivery)] == [0, 0, 0]


@in_office
async def test_forgotten_before_it_was_brought_nothing_is_said(office: Office) -> None:
    pigeons = Pigeons()
    thread, anna = await self_taken(office)
    anna.say(thread, "For nobody.")
    (yes, *_) = (await office.say("forget")).buttons
    await office.press(yes.value)
    async with carrying(office, pigeons):
        await brought(office)
    assert texts(pigeons) == []


async def self_taken(office: Office) -> tuple[str, Operator]:
    """A conversation that was taken over while nobody brings anything."""
    asked = await office.ask("Hello?")
    anna = operator(office)
    anna.take(asked.conversation_id)
    return asked.conversation_id, anna
