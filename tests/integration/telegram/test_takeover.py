"""An admin answers in a Telegram chat: text and pictures arrive once, whatever goes wrong."""

import pytest

from core.values import TurnState
from tests.fakes.telegram import Chat, FakeTelegram, Said, Seen
from tests.integration.operating import Operator
from tests.integration.telegram.answering import in_group, privately
from tests.integration.telegram.stand import Stand, adapter_over
from tests.integration.web.site import picture
from tests.processes import Installation, until

TAKEN = "A person answers you here now, and I stay silent meanwhile."
BACK = "I answer here again."


def operator(stand: Stand) -> Operator:
    return Operator(stand.at.store, stand.at.redis, stand.settings)


def said_in(stand: Stand, chat: Chat) -> list[Seen]:
    """What stands there, once all is brought; dots are none of it."""
    stand.settled()
    return stand.telegram.answers(chat)


def taken_over(stand: Stand, asked: Said) -> tuple[str, Operator]:
    """Answered by the model, then taken over; the conversation."""
    turn = stand.ready(asked)
    stand.claim(turn.id).answer("A red dress.")
    stand.settled()
    anna = operator(stand)
    anna.take(turn.conversation_id)
    stand.settled()
    return turn.conversation_id, anna


def test_words_and_pictures_arrive_once_and_as_they_were_written(modern: Stand) -> None:
    ann, chat, asked = privately(modern, "Which dress?")
    thread, anna = taken_over(modern, asked)
    question = modern.telegram.say(ann, chat, "And in blue?")
    modern.turn_of(question)
    words = "*This* one: https://shop.example/a_b_c & <b>co</b>"
    assert anna.say(thread, words) == modern.turn_of(question).id
    anna.say(thread, "Like *this*.", [anna.picture("blue"), anna.picture("green")])
    long = "word " * 300
    anna.say(thread, long, [anna.picture("red")])
    anna.back(thread)
    seen = [(one.text, one.media, one.buttons) for one in said_in(modern, chat)][1:]
    assert seen == [
        (TAKEN, "", ()),
        (words, "", ()),
        ("Like *this*.", "photo", ()),
        ("", "photo", ()),
        (long.strip(), "", ()),
        ("", "photo", ()),
        (BACK, "", ()),
    ]
    assert modern.turn_of(question).state == TurnState.DELIVERED


def test_in_a_group_he_replies_to_the_question(older: Stand) -> None:
    _, chat, asked = in_group(older, "Who can help?")
    thread, anna = taken_over(older, asked)
    anna.say(thread, "I can.", [anna.picture()])
    assert [(one.text, one.reply_to) for one in said_in(older, chat)][-1] == ("I can.", asked.message.id)


def test_what_comes_meanwhile_is_fetched_and_answered_later_by_the_model(modern: Stand) -> None:
    ann, chat, asked = privately(modern, "Before?")
    thread, anna = taken_over(modern, asked)
    sent = modern.telegram.photo(ann, chat, picture("green"), "Look at this")
    turn = modern.turn_of(sent)
    until(lambda: [a.state for a in modern.turn(turn.id).attachments] == ["stored"], "its picture is there")
    assert modern.turn(turn.id).state == TurnState.HANDED_OVER
    anna.back(thread, answer_open=True)
    modern.work_on(sent).answer("Green.")
    assert [one.text for one in said_in(modern, chat)][1:] == [TAKEN, BACK, "Green."]


@pytest.mark.parametrize(
    ("fault", "pictured"),
    [("lose_answer", False), ("lose_answer", True), ("drop", True), ("break_", False), ("limit", True)],
)
def test_in_private_a_message_comes_once_whatever_goes_wrong(modern: Stand, fault: str, pictured: bool) -> None:
    _, chat, asked = privately(modern, f"{fault} {pictured}?")
    thread, anna = taken_over(modern, asked)
    getattr(modern.telegram.faults, fault)("sendPhoto" if pictured else "sendMessage", chat=chat.id)
    anna.say(thread, "Only *once*.", [anna.picture()] if pictured else [])
    assert [(one.text, one.media) for one in said_in(modern, chat)][2:] == [
        ("Only *once*.", "photo" if pictured else "")
    ]


def test_a_lost_answer_is_not_taken_for_another_message_of_ours(modern: Stand) -> None:
    """Something else of ours came in between: it is no proof that his words arrived."""
    ann, chat, asked = privately(modern, "In between?")
    thread, anna = taken_over(modern, asked)
    modern.telegram.faults.drop("sendMessage", chat=chat.id)
    held = modern.telegram.faults.hold("sendMessage", skip=1, chat=chat.id)
    anna.say(thread, "Not lost.")
    modern.telegram.say(ann, chat, "/help")
    held.open()
    texts = [one.text for one in said_in(modern, chat)]
    assert texts.count("Not lost.") == 1


def test_a_shops_customer_gets_his_words_in_its_name_and_no_notice(modern: Stand) -> None:
    kim = modern.telegram.user("kim-t")
    link = modern.telegram.connect(modern.telegram.user("shop-t"))
    chat = modern.telegram.customer(link, kim)
    thread, anna = taken_over(modern, modern.telegram.photo(kim, chat, picture("red"), "Do you have this?"))
    question = modern.telegram.say(kim, chat, "In blue?")
    modern.turn_of(question)
    anna.say(thread, "Yes, here.", [anna.picture()])
    anna.back(thread)
    seen = [(one.text, one.media, one.by_bot) for one in said_in(modern, chat)]
    assert seen == [("A red dress.", "", True), ("Yes, here.", "photo", True)]


def test_where_the_owner_approves_an_admin_needs_no_approval(fresh_at: Installation) -> None:
    with FakeTelegram() as telegram, adapter_over(fresh_at, telegram, telegram_business="approve") as stand:
        olga, kim = telegram.user("olga"), telegram.user("kim")
        telegram.start(olga)
        chat = telegram.customer(telegram.connect(olga), kim)
        turn = stand.ready(telegram.photo(kim, chat, picture("red"), "Do you have this?"))
        anna = operator(stand)
        anna.take(turn.conversation_id)
        assert anna.say(turn.conversation_id, "We do.") == turn.id
        assert [one.text for one in said_in(stand, chat)] == ["We do."]
