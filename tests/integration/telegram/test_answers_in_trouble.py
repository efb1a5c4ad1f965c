"""An answer comes whole and once, whatever Telegram refuses, loses or forbids meanwhile."""

from datetime import timedelta

import pytest

from core.store.models import Delivery
from core.values import utc_now
from tests.integration.telegram.answering import (
    FIRST,
    REST,
    WHOLE,
    in_group,
    once,
    placeholder,
    privately,
    shown,
    state_of,
)
from tests.integration.telegram.stand import Stand
from tests.integration.web.site import picture
from tests.processes import PATIENCE_S, until


def test_a_long_pause_is_kept_in_sql(modern: Stand) -> None:
    _, chat, asked = privately(modern, "In an hour?")
    turn = modern.ready(asked)

    def put_off(attempts: int) -> bool:
        delivery = modern.delivery(turn.id)
        later = delivery.not_before is not None and delivery.not_before - utc_now() > timedelta(minutes=50)
        return later and delivery.attempts == attempts

    modern.telegram.faults.limit("sendMessage", 3600, chat=chat.id)
    modern.claim(turn.id).answer(WHOLE)
    until(lambda: put_off(1), "it is put off")
    with modern.at.store.write() as repositories:
        repositories.session.query(Delivery).filter_by(turn_id=turn.id).update({"not_before": None})
    # This process remembers the pause as well, and asks Telegram nothing.
    until(lambda: put_off(2), "it is put off again")
    assert len([call for call in modern.telegram.called("sendMessage") if call.chat == chat.id]) == 1
    with modern.at.store.write() as repositories:
        repositories.session.query(Delivery).filter_by(turn_id=turn.id).update({"state": "failed"})


@pytest.mark.parametrize(
    ("method", "fault"),
    [
        ("sendMessage", "limit"),
        ("sendMessage", "drop"),
        ("sendMessage", "break_"),
        ("editMessageText", "limit"),
        ("editMessageText", "drop"),
        ("editMessageText", "break_"),
        ("editMessageText", "lose_answer"),
    ],
)
def test_in_a_group_the_answer_comes_once_whatever_goes_wrong(modern: Stand, method: str, fault: str) -> None:
    _, chat, asked = in_group(modern, f"{method} and {fault}?")
    turn = modern.ready(asked)
    if method == "editMessageText":
        modern.telegram.wait_for(lambda: modern.telegram.answers(chat), PATIENCE_S)
    getattr(modern.telegram.faults, fault)(method, chat=chat.id)
    modern.claim(turn.id).say(FIRST).say(REST).answer(WHOLE)
    once(modern, chat)


@pytest.mark.parametrize("fault", ["limit", "drop", "break_"])
def test_in_private_the_answer_comes_once_where_it_surely_did_not_get_through(modern: Stand, fault: str) -> None:
    _, chat, asked = privately(modern, f"In private {fault}?")
    turn = modern.ready(asked)
    getattr(modern.telegram.faults, fault)("sendMessage", chat=chat.id)
    modern.claim(turn.id).say(FIRST).answer(WHOLE)
    once(modern, chat)


def test_a_message_whose_answer_is_lost_is_found_by_its_buttons(modern: Stand) -> None:
    _, chat, asked = privately(modern, "Lost?")
    turn = modern.ready(asked)
    modern.telegram.faults.lose_answer("sendMessage", times=1, chat=chat.id)
    modern.claim(turn.id).answer(WHOLE)
    once(modern, chat)


def test_a_message_that_cannot_be_found_comes_twice_at_most(modern: Stand) -> None:
    _, chat, asked = privately(modern, "Lost, lost, lost?")
    turn = modern.ready(asked)
    modern.telegram.faults.lose_answer("sendMessage", times=1, chat=chat.id)
    modern.telegram.faults.refuse("editMessageReplyMarkup", "message to edit not found", times=10, chat=chat.id)
    modern.telegram.faults.lose_answer("editMessageText", times=2, chat=chat.id)
    modern.claim(turn.id).answer(WHOLE)
    until(lambda: state_of(modern, asked) == "sent", "the answer is there")
    assert [one.text for one in modern.telegram.answers(chat)] == [WHOLE, WHOLE]


@pytest.mark.parametrize("deleted", ["while it is written", "at its end"])
def test_a_placeholder_that_somebody_deleted_is_replaced(modern: Stand, deleted: str) -> None:
    _, chat, asked = in_group(modern, f"Deleted {deleted}?")
    waiting = placeholder(modern, chat)
    work = modern.work_on(asked)
    if deleted == "while it is written":
        modern.telegram.delete(waiting.message)
        work.say(FIRST)
    else:
        work.say(FIRST)
        modern.telegram.delete(shown(modern, chat, FIRST.strip()).message)
    work.answer(WHOLE)
    once(modern, chat)


def test_nothing_is_tried_for_ever_where_nothing_can_be_said(modern: Stand) -> None:
    ann, chat, asked = privately(modern, "Blocked?")
    turn = modern.ready(asked)
    bob = modern.telegram.user("bob")
    forum = modern.telegram.group("closed", bob, forum=True)
    topic = modern.telegram.topic(forum, "boats", bob)
    words = f"{modern.telegram.bot.mention} Closed?"
    in_topic = modern.telegram.photo(bob, forum, picture("red"), words, topic=topic)
    closed = modern.ready(in_topic)
    modern.telegram.wait_for(lambda: modern.telegram.answers(forum), PATIENCE_S)
    modern.telegram.block(ann)
    modern.telegram.close_topic(forum, topic, bob)
    for one, message in ((turn, asked), (closed, in_topic)):
        modern.claim(one.id).answer(WHOLE)
        until(lambda message=message: state_of(modern, message) == "failed", "it is given up")  # type: ignore[misc]
    assert modern.telegram.answers(chat) == []


def test_a_group_that_became_a_supergroup_gets_its_answer(modern: Stand) -> None:
    ann, chat, asked = in_group(modern, "Moved?", kind="group")
    placeholder(modern, chat)
    work = modern.work_on(asked)
    moved = modern.telegram.migrate(chat, ann)
    work.answer(WHOLE)
    shown(modern, moved, WHOLE)
    modern.settled()
    (answer,) = modern.telegram.answers(moved)
    # Its question's number is that of another message there.
    assert (answer.text, answer.reply_to) == (WHOLE, 0)
