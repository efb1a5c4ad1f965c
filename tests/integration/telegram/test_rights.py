"""Who may do what in a group: what only administrators decide, and buttons that are for one person."""

from collections.abc import Iterator

import pytest

from core.store.models import Conversation
from core.values import Platform
from tests.fakes.telegram import Chat, FakeTelegram, Press, Seen, User
from tests.integration.telegram.stand import Stand, adapter_over
from tests.processes import PATIENCE_S, Installation, installation, until

ADMINS_ONLY = "Here only admins decide this"


@pytest.fixture(scope="module")
def led(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """The adapter where a group's administrators steer it."""
    with installation(tmp_path_factory.mktemp("led")) as at, FakeTelegram() as telegram:
        with adapter_over(at, telegram, telegram_steering="admins") as made:
            yield made


def mode(stand: Stand, chat: Chat) -> str:
    with stand.at.store.read() as repositories:
        workspace = repositories.people.known_workspace(Platform.TELEGRAM, str(stand.telegram.bot.id))
        place = repositories.places.known(workspace.id, str(chat.id)) if workspace is not None else None
    return place.persona if place is not None else ""


def handed_over(stand: Stand, conversation_id: str) -> bool:
    with stand.at.store.read() as repositories:
        conversation = repositories.session.get(Conversation, conversation_id)
        return conversation is not None and conversation.handed_over_at is not None


def told(stand: Stand, chat: Chat, words: str, times: int = 1) -> Seen:
    """Our message with these words, once it stands there so many times."""

    def found() -> list[Seen]:
        return [one for one in stand.telegram.answers(chat) if words in one.text]

    stand.telegram.wait_for(lambda: len(found()) >= times, PATIENCE_S)
    return found()[-1]


def press(stand: Stand, user: User, seen: Seen, data: str) -> Press:
    pressed = stand.telegram.press_old(user, seen.message, data)
    stand.telegram.wait_for(lambda: pressed.answered, PATIENCE_S)
    return pressed


def test_only_a_groups_administrators_choose_its_mode(led: Stand) -> None:
    boss, ann = led.telegram.user("boss"), led.telegram.user("ann")
    group = led.telegram.group("led", boss, ann)
    led.telegram.say(ann, group, "/mode tutor")
    told(led, group, ADMINS_ONLY)
    led.telegram.say(ann, group, "/mode")
    listed = told(led, group, "What shall I be here?")
    assert listed.buttons == ()
    press(led, ann, listed, "mode:tutor")
    told(led, group, ADMINS_ONLY, 2)
    led.telegram.say(ann, group, "/start tutor")
    told(led, group, ADMINS_ONLY, 3)
    assert mode(led, group) == ""
    led.telegram.say(boss, group, "/mode tutor")
    until(lambda: mode(led, group) == "tutor", "the administrator's choice holds")
    # As the group itself, which nobody but its administrators can.
    led.telegram.say(boss, group, "/mode support", anonymous=True)
    until(lambda: mode(led, group) == "support", "an anonymous administrator's choice holds")
    asked = [call for call in led.telegram.called("getChatAdministrators") if call.chat == group.id]
    assert len(asked) == 1


def test_a_private_chat_is_ones_own(led: Stand) -> None:
    ann = led.telegram.user("ann")
    led.telegram.say(ann, led.telegram.private(ann), "/mode documents")
    until(lambda: mode(led, led.telegram.private(ann)) == "documents", "one's own is one's own")


def test_where_telegram_does_not_tell_nobody_decides(led: Stand) -> None:
    boss = led.telegram.user("boss")
    group = led.telegram.group("silent", boss)
    led.telegram.faults.break_("getChatAdministrators", chat=group.id)
    led.telegram.say(boss, group, "/mode tutor")
    told(led, group, ADMINS_ONLY)
    led.telegram.say(boss, group, "/mode tutor")
    until(lambda: mode(led, group) == "tutor", "it is asked again")


def test_a_handed_over_group_keeps_its_button_for_those_who_may_press_it(led: Stand) -> None:
    boss, ann, bob = (led.telegram.user(name) for name in ("boss", "ann", "bob"))
    group = led.telegram.group("handed", boss, ann, bob)
    asked = led.telegram.say(ann, group, f"{led.telegram.bot.mention} Is somebody there?")
    turn = led.ready(asked)
    led.claim(turn.id).answer("I am.")
    told(led, group, "I am.")
    led.telegram.say(bob, group, "/human")
    told(led, group, ADMINS_ONLY)
    assert not handed_over(led, turn.conversation_id)
    led.telegram.say(ann, group, "/human")
    handed = told(led, group, "asked for a person")
    release = f"release:{turn.conversation_id}"
    press(led, bob, handed, release)
    told(led, group, ADMINS_ONLY, 2)
    assert (handed.message.labels, handed_over(led, turn.conversation_id)) == (("Let Glimt answer again",), True)
    press(led, boss, handed, release)
    told(led, group, "I answer here again")
    assert not handed_over(led, turn.conversation_id)
    until(lambda: handed.message.labels == (), "its button is gone")


def test_what_one_person_is_asked_nobody_else_can_answer_or_take_away(stand: Stand) -> None:
    ann, bob = stand.telegram.user("ann"), stand.telegram.user("bob")
    group = stand.telegram.group("forgetting", ann, bob)
    asked = stand.telegram.say(ann, group, f"{stand.telegram.bot.mention} Remember me?")
    turn = stand.ready(asked)
    stand.claim(turn.id).answer("Yes.")
    answer = told(stand, group, "Yes.")
    stand.telegram.say(ann, group, "/forget")
    question = told(stand, group, "Shall I erase all your questions")
    labels = question.message.labels
    press(stand, bob, question, question.message.buttons[0]["callback_data"])
    told(stand, group, "This button is for somebody else.")
    assert question.message.labels == labels
    # A press that an app made up changes no message either.
    thumbs = answer.message.labels
    press(stand, bob, answer, "down:0123456789abcdef0123456789abcdef")
    press(stand, bob, question, f"why:{'0' * 32}:wrong")
    assert (answer.message.labels, question.message.labels) == (thumbs, labels)
    press(stand, ann, question, question.message.buttons[0]["callback_data"])
    told(stand, group, "Erased: 1 question")
    until(lambda: question.message.labels == (), "its buttons are gone")


def test_a_reaction_of_who_is_not_served_leaves_nothing(fresh_at: Installation) -> None:
    with FakeTelegram() as telegram:
        ann, eve = telegram.user("ann"), telegram.user("eve")
        with adapter_over(fresh_at, telegram, telegram_users=(str(ann.id),)) as stand:
            group = telegram.group("harbour", ann, eve, admin=True)
            asked = telegram.say(ann, group, f"{telegram.bot.mention} Whose?")
            stand.work_on(asked).answer("Yours.")
            answer = told(stand, group, "Yours.")
            stand.settled()
            telegram.react(eve, answer.message, "👎")
            stand.taken()
            bot = str(telegram.bot.id)
            until(lambda: not kept(fresh_at, bot), "it was dealt with")
            with fresh_at.store.read() as repositories:
                assert repositories.people.known(Platform.TELEGRAM, bot, str(eve.id)) is None


def kept(at: Installation, bot_id: str) -> int:
    with at.store.read() as repositories:
        return len(repositories.telegram.kept_updates(bot_id))
