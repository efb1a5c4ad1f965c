"""How an answer comes to its chat: shown while it is written, then whole, as one message."""

import pytest

from tests.fakes.telegram import FakeTelegram
from tests.integration.telegram.answering import FIRST, REST, WHOLE, in_group, once, placeholder, privately, shown
from tests.integration.telegram.stand import Stand, adapter_over
from tests.integration.web.site import picture
from tests.processes import PATIENCE_S, Installation, until


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


def test_who_waits_sees_the_place_in_the_queue(fresh_at: Installation) -> None:
    # Of its own: what other tests leave unanswered waits, too.
    with FakeTelegram() as telegram, adapter_over(fresh_at, telegram) as stand:
        _, first, before = privately(stand, "Which one first?")
        stand.ready(before)
        _, chat, asked = privately(stand, "Which one second?")
        shown(stand, chat, "1 question is before yours.")
        stand.work_on(before).answer("First.")
        shown(stand, chat, "Your question is next.")
        stand.work_on(asked).answer("Second.")
        once(stand, first, "First.")
        once(stand, chat, "Second.")


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


def test_boxes_come_drawn_on_the_picture_as_a_reply_to_it(modern: Stand) -> None:
    _, chat, asked = privately(modern, "Where is the boat?")
    boxes = ({"label": "boat *1*", "left": 0.1, "top": 0.1, "right": 0.5, "bottom": 0.5},)
    modern.work_on(asked).answer("Here.", boxes=boxes)
    modern.telegram.wait_for(lambda: len(modern.telegram.answers(chat)) == 2, PATIENCE_S)
    text, drawn = modern.telegram.answers(chat)
    assert (text.text, drawn.media, drawn.text, drawn.reply_to) == ("Here.", "photo", "1. boat 1", asked.id)


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
