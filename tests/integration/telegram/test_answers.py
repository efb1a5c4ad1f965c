"""How an answer comes to its chat: shown while it is written, then whole, once, whatever Telegram refuses meanwhile."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from core.store.models import Delivery
from core.values import utc_now
from tests.fakes.telegram import Chat, FakeTelegram, Message, Said, Seen, User
from tests.integration.telegram.stand import Stand, adapter_over
from tests.integration.web.site import picture
from tests.processes import PATIENCE_S, Installation, installation, until

FIRST = "There are three boats in the harbour, and one of them is red. "
REST = "The red one is the smallest; behind it stands a lighthouse with a green roof."
WHOLE = FIRST + REST
TABLE = "# Boats\n\n| boat | colour |\n|---|---|\n| 1 | **red** |\n"


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """The adapter of a server that knows rich messages, and so drafts that can be stopped."""
    with installation(tmp_path_factory.mktemp("newer")) as at, FakeTelegram() as telegram:
        telegram.know_rich()
        with adapter_over(at, telegram) as made:
            assert made.adapter is not None
            made.adapter.desk.platform.edit_every_s = 0.2
            yield made


@pytest.fixture
def modern(newer: Stand) -> Iterator[Stand]:
    """The same, in which nothing goes wrong any more after the test."""
    yield newer
    newer.telegram.faults.clear()
    newer.settled()


@pytest.fixture
def older(stand: Stand) -> Iterator[Stand]:
    """An adapter of a server that knows none of these; likewise."""
    yield stand
    stand.telegram.faults.clear()
    stand.settled()


def privately(stand: Stand, question: str, name: str = "ann", **how: Any) -> tuple[User, Chat, Said]:
    """Somebody new asks in private."""
    ann = stand.telegram.user(name, **how)
    chat = stand.telegram.private(ann)
    return ann, chat, stand.telegram.photo(ann, chat, picture("red"), question)


def in_group(stand: Stand, question: str, **how: Any) -> tuple[User, Chat, Said]:
    """Somebody asks in a group of its own."""
    ann = stand.telegram.user("ann")
    chat = stand.telegram.group("harbour", ann, **how)
    return ann, chat, stand.telegram.photo(ann, chat, picture("red"), f"{stand.telegram.bot.mention} {question}")


def shown(stand: Stand, chat: Chat, text: str) -> Seen:
    """Our message, once it says this."""

    def found() -> Seen | None:
        return next((one for one in stand.telegram.answers(chat) if one.text == text), None)

    seen = stand.telegram.wait_for(found, PATIENCE_S)
    assert seen is not None
    return seen


def placeholder(stand: Stand, chat: Chat) -> Seen:
    """What stands there while there is no text."""
    return stand.telegram.wait_for(lambda: stand.telegram.answers(chat), PATIENCE_S)[0]


def once(stand: Stand, chat: Chat, text: str = WHOLE) -> Seen:
    """The one message of ours in a chat, which is whole."""
    seen = shown(stand, chat, text)
    stand.settled()
    assert [one.text for one in stand.telegram.answers(chat)] == [text]
    return seen


def state_of(stand: Stand, message: Message | Said) -> str:
    return stand.delivery(stand.turn_of(message).id).state


def test_in_private_the_text_grows_in_a_draft_and_one_message_follows(modern: Stand) -> None:
    _, chat, asked = privately(modern, "What is in the harbour?")
    work = modern.work_on(asked).say(FIRST)
    modern.telegram.wait_for(lambda: any(d.text == FIRST.strip() for d in modern.telegram.drafts(chat)), PATIENCE_S)
    assert modern.telegram.drafts(chat)[0].stop
    assert modern.telegram.answers(chat) == []
    work.say(REST).answer(WHOLE)
    seen = once(modern, chat)
    assert (seen.buttons, seen.before) == (("👍", "👎"), ())


def test_a_draft_that_would_vanish_is_shown_again(modern: Stand) -> None:
    assert modern.adapter is not None
    platform = modern.adapter.desk.platform
    platform.refresh_s, usual = 0.1, platform.refresh_s
    try:
        _, chat, asked = privately(modern, "Are you still there?")
        work = modern.work_on(asked).say(FIRST)
        modern.telegram.wait_for(lambda: [d.text for d in chat.drafts_seen].count(FIRST.strip()) >= 3, PATIENCE_S)
    finally:
        platform.refresh_s = usual
    work.answer(WHOLE)
    once(modern, chat)


def test_in_a_shops_name_there_are_no_buttons_and_no_queue(modern: Stand) -> None:
    olga, carl = modern.telegram.user("olga"), modern.telegram.user("carl")
    modern.telegram.start(olga)
    chat = modern.telegram.customer(modern.telegram.connect(olga), carl)
    asked = modern.telegram.photo(carl, chat, picture("red"), "Is this for sale?")
    modern.telegram.wait_for(lambda: chat.actions, PATIENCE_S)
    assert modern.telegram.answers(chat) == []
    work = modern.work_on(asked).say(FIRST)
    assert shown(modern, chat, FIRST.strip()).buttons == ()
    work.say(REST).answer(WHOLE)
    assert once(modern, chat).buttons == ()


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


def test_telegrams_own_stop_stops_the_answer(modern: Stand) -> None:
    _, chat, asked = privately(modern, "Tell me everything?")
    work = modern.work_on(asked).say(FIRST)
    modern.telegram.wait_for(lambda: any(d.text == FIRST.strip() for d in modern.telegram.drafts(chat)), PATIENCE_S)
    modern.telegram.stop(chat)
    until(work.stop_requested, "the worker is asked to stop")
    work.stopped(FIRST)
    assert once(modern, chat, f"{FIRST.strip()}\n\nStopped.").buttons == ("Try again",)


def test_on_an_older_server_a_placeholder_with_a_stop_becomes_the_answer(older: Stand) -> None:
    ann, chat, asked = privately(older, "What is in the older harbour?")
    waiting = older.telegram.wait_for(lambda: older.telegram.answers(chat), PATIENCE_S)[0]
    assert waiting.buttons == ("Stop",)
    work = older.work_on(asked).say(FIRST)
    press = older.telegram.press(ann, waiting.message, "Stop")
    older.telegram.wait_for(lambda: press.answered, PATIENCE_S)
    assert (press.text, work.stop_requested()) == ("Stopped.", True)
    work.stopped(WHOLE)
    seen = once(older, chat, f"{WHOLE}\n\nStopped.")
    assert seen.id == waiting.id
    assert chat.actions[0][1] == "typing"


def test_who_waits_sees_the_place_in_the_queue(older: Stand) -> None:
    _, first, before = privately(older, "Which one first?")
    older.ready(before)
    _, chat, asked = privately(older, "Which one second?")
    shown(older, chat, "1 question is before yours.")
    older.work_on(before).answer("First.")
    shown(older, chat, "Your question is next.")
    older.work_on(asked).answer("Second.")
    once(older, first, "First.")
    once(older, chat, "Second.")


def test_in_a_group_one_message_replies_to_the_question_and_is_edited(modern: Stand) -> None:
    _, chat, asked = in_group(modern, "What is in the group's harbour?")
    placeholder(modern, chat)
    work = modern.work_on(asked).say(FIRST)
    assert shown(modern, chat, FIRST.strip()).buttons == ("Stop",)
    work.say(REST).answer(WHOLE)
    seen = once(modern, chat)
    assert (seen.buttons, seen.reply_to) == (("👍", "👎"), asked.id)


def test_in_a_topic_the_answer_stays_in_it(modern: Stand) -> None:
    ann = modern.telegram.user("ann")
    chat = modern.telegram.group("harbour", ann, forum=True)
    topic = modern.telegram.topic(chat, "boats", ann)
    words = f"{modern.telegram.bot.mention} What is in the topic's harbour?"
    asked = modern.telegram.photo(ann, chat, picture("red"), words, topic=topic)
    modern.work_on(asked).answer(WHOLE)
    assert once(modern, chat).thread == topic.id


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


@pytest.mark.parametrize(
    ("refused", "form"),
    [
        (("sendRichMessage", "RICH_MESSAGE_INVALID"), "entities"),
        (("sendMessage", "can't parse entities: whatever it is"), "plain"),
    ],
)
def test_a_plainer_form_is_sent_where_telegram_does_not_understand(
    modern: Stand, refused: tuple[str, str], form: str
) -> None:
    method, why = refused
    answer = TABLE if form == "entities" else "It is **red**."
    _, chat, asked = privately(modern, f"Formatted {form}?")
    turn = modern.ready(asked)
    modern.telegram.faults.refuse(method, why, chat=chat.id)
    modern.claim(turn.id).answer(answer)
    text = "It is red." if form == "plain" else "Boats\n\nboat │ colour\n─────┼───────\n1    │ red"
    seen = once(modern, chat, text)
    assert [e["type"] for e in seen.message.entities] == (["bold", "pre"] if form == "entities" else [])


def test_a_flood_says_nothing_about_the_form(modern: Stand) -> None:
    _, chat, asked = privately(modern, "Rich after a pause?")
    turn = modern.ready(asked)
    modern.telegram.faults.limit("sendRichMessage", 1, chat=chat.id)
    modern.claim(turn.id).answer(TABLE)
    seen = modern.telegram.wait_for(lambda: modern.telegram.answers(chat), PATIENCE_S)[0]
    assert seen.message.rich
    sent = [call for call in modern.telegram.called("sendRichMessage") if call.chat == chat.id]
    assert [(call.ok, "table" in str(call.arguments)) for call in sent] == [(False, True), (True, True)]


def test_an_older_server_gets_tables_as_text(older: Stand) -> None:
    _, chat, asked = privately(older, "A table for an old server?")
    older.work_on(asked).answer(TABLE)
    once(older, chat, "Boats\n\nboat │ colour\n─────┼───────\n1    │ red")


def test_a_long_answer_is_cut_at_paragraphs(modern: Stand) -> None:
    paragraphs = [f"Paragraph {number}: " + "wörter 🙂 " * 60 for number in range(20)]
    whole = "\n\n".join(one.strip() for one in paragraphs)
    _, chat, asked = privately(modern, "All of it?")
    modern.work_on(asked).say(whole[:5000]).answer(whole)
    modern.telegram.wait_for(lambda: len(modern.telegram.answers(chat)) >= 3, PATIENCE_S)
    modern.settled()
    parts = modern.telegram.answers(chat)
    assert "\n\n".join(part.text for part in parts) == whole
    assert [bool(part.buttons) for part in parts] == [False] * (len(parts) - 1) + [True]


def test_an_answer_links_nothing_and_calls_nobody(modern: Stand) -> None:
    _, chat, asked = privately(modern, "What does the sign say?")
    modern.work_on(asked).answer("[win](https://evil.example/?q=1) ![x](http://evil.example/y.png) ask @bob")
    seen = once(modern, chat, "[win] (https://evil.example/?q=1) ![x] (http://evil.example/y.png) ask @\u2060bob")
    assert {entity["type"] for entity in seen.message.entities} == {"code"}


def test_boxes_come_drawn_on_the_picture_as_a_reply_to_it(modern: Stand) -> None:
    _, chat, asked = privately(modern, "Where is the boat?")
    boxes = ({"label": "boat *1*", "left": 0.1, "top": 0.1, "right": 0.5, "bottom": 0.5},)
    modern.work_on(asked).answer("Here.", boxes=boxes)
    modern.telegram.wait_for(lambda: len(modern.telegram.answers(chat)) == 2, PATIENCE_S)
    text, drawn = modern.telegram.answers(chat)
    assert (text.text, drawn.media, drawn.text, drawn.reply_to) == ("Here.", "photo", "1. boat 1", asked.id)


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
    assert [one.text for one in modern.telegram.answers(moved)] == [WHOLE]


def test_a_failure_says_what_happened_and_can_be_tried_again(modern: Stand) -> None:
    ann, chat, asked = privately(modern, "Does it fail?", language="zh-hans")
    modern.work_on(asked).fail("deadline", "The answer took too long. Please ask again, or ask for something shorter.")
    failed = modern.telegram.wait_for(lambda: modern.telegram.answers(chat), PATIENCE_S)[0]
    assert failed.text == "回答花的时间太长。请再问一次，或问得简短一些。"
    (again,) = failed.buttons
    press = modern.telegram.press(ann, failed.message, again)
    modern.work_on(asked).answer(WHOLE)
    shown(modern, chat, WHOLE)
    modern.settled()
    assert press.answered
    assert [one.buttons for one in modern.telegram.answers(chat)] == [(), ("👍", "👎")]


@pytest.mark.parametrize("where", ["private", "group"])
def test_the_next_process_goes_on_in_mid_answer(fresh_at: Installation, where: str) -> None:
    with FakeTelegram() as telegram:
        telegram.know_rich()
        with adapter_over(fresh_at, telegram) as first:
            _, chat, asked = privately(first, "Twice?") if where == "private" else in_group(first, "Twice?")
            work = first.work_on(asked).say(FIRST)
            if where == "private":
                telegram.wait_for(lambda: any(d.text == FIRST.strip() for d in telegram.drafts(chat)), PATIENCE_S)
            else:
                shown(first, chat, FIRST.strip())
        with adapter_over(fresh_at, telegram) as second:
            work.say(REST).answer(WHOLE)
            once(second, chat)
