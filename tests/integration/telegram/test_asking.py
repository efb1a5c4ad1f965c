"""What people write becomes questions: where we listen, whose they are, which conversation they belong to."""

import pytest

from core.store.models import Turn
from core.values import AttachmentState, TurnState
from tests.fakes.telegram import FakeTelegram
from tests.integration.telegram.stand import Stand
from tests.integration.web.site import picture

RED = picture("red", size=(320, 240))


def shown(turn: Turn) -> list[tuple[str, str]]:
    return [(a.name, a.state) for a in turn.attachments]


def test_a_photo_with_its_question(stand: Stand, telegram: FakeTelegram) -> None:
    ann = telegram.user("ann1", language="zh-hans")
    chat = telegram.private(ann)

    asked = telegram.photo(ann, chat, RED, "What is this?")
    work = stand.work_on(asked)
    work.answer("A red square.")

    stand.settled()
    turn = stand.turn_of(asked)
    assert (turn.question, shown(turn)) == ("What is this?", [("photo", AttachmentState.STORED)])
    # The largest of the sizes that Telegram made.
    assert (turn.attachments[0].width, turn.attachments[0].height) == (320, 240)
    assert [answer.text.splitlines()[0] for answer in telegram.answers(chat)] == ["A red square."]


def test_a_question_in_words_goes_on_with_the_conversation_until_a_new_one(
    stand: Stand, telegram: FakeTelegram
) -> None:
    bob = telegram.user("bob1")
    chat = telegram.private(bob)
    first = telegram.photo(bob, chat, RED, "Which colour?")
    stand.work_on(first).answer("Red.")
    stand.settled()
    second = telegram.say(bob, chat, "And how dark?")
    stand.work_on(second).answer("Not at all.")
    telegram.say(bob, chat, "/new")
    third = telegram.say(bob, chat, "And you?")

    conversations = [stand.turn_of(said).conversation_id for said in (first, second, third)]
    assert conversations[0] == conversations[1] != conversations[2]
    stand.settled()
    answer = telegram.answers(chat)[0].message
    back = telegram.say(bob, chat, "Are you sure?", reply_to=answer)
    assert stand.turn_of(back).conversation_id == conversations[0]
    again = telegram.say(bob, chat, "This one?", reply_to=second.message)
    assert stand.turn_of(again).conversation_id == conversations[0]


def test_an_update_that_comes_twice_is_one_question(stand: Stand, telegram: FakeTelegram) -> None:
    eve = telegram.user("eve1")
    chat = telegram.private(eve)
    asked = telegram.say(eve, chat, "Hello?")
    turn = stand.turn_of(asked)
    stand.taken()
    telegram.updates.repeat(*[one for one in telegram.updates.every if one.chat == chat.id])
    later = telegram.say(eve, chat, "Anybody?")

    stand.turn_of(later)
    assert [one.question for one in stand.turns_in(chat)] == ["Hello?", "Anybody?"]
    assert stand.turns_in(chat)[0].id == turn.id


def test_in_a_group_only_what_is_meant_for_us(stand: Stand, telegram: FakeTelegram) -> None:
    ann, bob = telegram.user("ann2"), telegram.user("bob2")
    group = telegram.group("Flat", ann, bob, admin=True)
    chatter = telegram.say(ann, group, "What a day")
    asked = telegram.say(ann, group, f"{telegram.bot.mention}, what is a cube?")
    other = telegram.say(ann, group, "/new@another_bot")

    assert stand.turn_of(asked).question == "what is a cube?"
    stand.work_on(asked).answer("A solid.")
    telegram.wait_for(lambda: telegram.answers(group))
    answer = telegram.answers(group)[0].message
    follow = telegram.say(bob, group, "And a sphere?", reply_to=answer)
    aside = telegram.say(bob, group, f"{ann.mention} you see?", reply_to=answer)
    turn = stand.turn_of(follow)
    assert turn.conversation_id == stand.turn_of(asked).conversation_id
    assert turn.person_id != stand.turn_of(asked).person_id
    assert all(stand.no_turn_of(said) for said in (chatter, other, aside))


def test_somebody_elses_picture_is_the_question_of_a_reply(stand: Stand, telegram: FakeTelegram) -> None:
    ann, bob = telegram.user("ann3"), telegram.user("bob3")
    group = telegram.group("Trip", ann, bob)
    sent = telegram.photo(ann, group, RED, "Guess where")
    asked = telegram.say(bob, group, f"{telegram.bot.mention} where is it?", reply_to=sent)

    turn = stand.ready(asked)
    assert turn.question == "> Guess where\n\nwhere is it?"
    assert shown(turn) == [("photo", AttachmentState.STORED)]
    assert stand.no_turn_of(sent)


def test_a_picture_of_another_chat_comes_by_its_reply(stand: Stand, telegram: FakeTelegram) -> None:
    ann = telegram.user("ann4")
    group = telegram.group("Elsewhere", ann)
    sent = telegram.photo(ann, group, RED)
    chat = telegram.private(ann)
    asked = telegram.say(ann, chat, "And this?", reply_to=sent)

    assert shown(stand.ready(asked)) == [("photo", AttachmentState.STORED)]


def test_a_quote_is_part_of_the_question(stand: Stand, telegram: FakeTelegram) -> None:
    ann = telegram.user("ann5")
    chat = telegram.private(ann)
    first = telegram.say(ann, chat, "Tell me of cubes")
    stand.work_on(first).answer("A cube has six faces and twelve edges.")
    telegram.wait_for(lambda: telegram.answers(chat))
    answer = telegram.answers(chat)[0].message
    asked = telegram.say(ann, chat, "Why?", reply_to=answer, quote="twelve edges")

    assert stand.turn_of(asked).question == "> twelve edges\n\nWhy?"


def test_topics_are_conversations_of_their_own(stand: Stand, telegram: FakeTelegram) -> None:
    ann = telegram.user("ann6")
    forum = telegram.group("Forum", ann, forum=True, admin=True)
    red, blue = telegram.topic(forum, "Red", ann), telegram.topic(forum, "Blue", ann)
    one = telegram.say(ann, forum, f"{telegram.bot.mention} one?", topic=red)
    two = telegram.say(ann, forum, f"{telegram.bot.mention} two?", topic=blue)
    three = telegram.say(ann, forum, f"{telegram.bot.mention} three?", topic=red)
    general = telegram.say(ann, forum, f"{telegram.bot.mention} four?")

    conversations = [stand.turn_of(said).conversation_id for said in (one, two, three, general)]
    assert conversations[0] == conversations[2]
    assert len(set(conversations)) == 3
    stand.work_on(two).answer("Two.")
    telegram.wait_for(lambda: telegram.answers(forum))
    assert telegram.answers(forum)[0].thread == blue.id


def test_a_question_that_waits_can_be_edited(stand: Stand, telegram: FakeTelegram) -> None:
    ann = telegram.user("ann7")
    chat = telegram.private(ann)
    asked = telegram.say(ann, chat, "What is a qube?")
    stand.ready(asked)
    telegram.edit(asked.message, "What is a cube?")
    stand.taken()
    assert stand.turn_of(asked).question == "What is a cube?"
    work = stand.work_on(asked)
    telegram.edit(asked.message, "What is a tube?")
    stand.taken()
    assert stand.turn_of(asked).question == "What is a cube?"
    work.answer("A solid.")
    assert len(stand.turns_in(chat)) == 1


def test_a_mention_that_was_forgotten_can_be_added(stand: Stand, telegram: FakeTelegram) -> None:
    ann = telegram.user("ann8")
    group = telegram.group("Edits", ann, admin=True)
    said = telegram.say(ann, group, "what is a cube?")
    assert stand.no_turn_of(said)
    telegram.edit(said.message, f"{telegram.bot.mention} what is a cube?")
    assert stand.turn_of(said).question == "what is a cube?"


@pytest.mark.parametrize("blocked", [True, False])
def test_where_we_are_no_more_nobody_waits(stand: Stand, telegram: FakeTelegram, blocked: bool) -> None:
    ann = telegram.user(f"ann9{blocked}")
    if blocked:
        chat = telegram.private(ann)
        asked = telegram.say(ann, chat, "Anybody?")
        stand.ready(asked)
        telegram.block(ann)
    else:
        chat = telegram.group("Gone", ann, forum=True)
        asked = telegram.say(ann, chat, f"{telegram.bot.mention} anybody?", topic=telegram.topic(chat, "T", ann))
        stand.ready(asked)
        telegram.remove_bot(chat, ann)
    stand.taken()
    assert stand.turn_of(asked).state == TurnState.CANCELLED


def test_a_group_that_becomes_a_supergroup_keeps_its_conversation(stand: Stand, telegram: FakeTelegram) -> None:
    ann = telegram.user("ann10")
    old = telegram.group("Small", ann, kind="group", admin=True)
    asked = telegram.say(ann, old, f"{telegram.bot.mention} first?")
    stand.ready(asked)
    new = telegram.migrate(old, ann)
    further = telegram.say(ann, new, f"{telegram.bot.mention} second?")

    assert stand.turn_of(further).conversation_id == stand.turn_of(asked).conversation_id
    # What was still to be said is said in the supergroup.
    stand.work_on(asked).answer("One.")
    telegram.wait_for(lambda: telegram.answers(new))
    assert telegram.answers(old) == []


def test_what_is_neither_picture_nor_words_is_said_to_be_so(stand: Stand, telegram: FakeTelegram) -> None:
    ann = telegram.user("ann11")
    chat = telegram.private(ann)
    said = telegram.document(ann, chat, "song.mp3", b"ID3 song", "What is it?", media_type="audio/mpeg")

    turn = stand.ready(said)
    assert [(a.state, a.error_message[:19]) for a in turn.attachments] == [("refused", "This is no picture.")]


def test_a_question_that_is_too_long_is_refused_in_words(stand: Stand, telegram: FakeTelegram) -> None:
    ann = telegram.user("ann12")
    chat = telegram.private(ann)
    for _ in range(stand.settings.waiting_per_person):
        telegram.say(ann, chat, "Again?")
    over = telegram.say(ann, chat, "Once more?")

    assert stand.no_turn_of(over)
    telegram.wait_for(lambda: any("waiting already" in one.text for one in telegram.answers(chat)))
