"""Buttons, reactions, commands and the menu: what people do besides asking."""

import pytest

from bots.telegram.menu import commands_for
from core.store.models import Feedback
from tests.fakes.telegram import Chat, FakeTelegram, Said, Seen, User
from tests.integration.telegram.stand import Stand, adapter_over
from tests.integration.web.site import picture
from tests.processes import PATIENCE_S, Installation, until


def answered(stand: Stand, question: str, chat: Chat | None = None, user: User | None = None) -> tuple[User, Seen]:
    """Somebody has asked and was answered."""
    ann = user or stand.telegram.user("ann")
    where = chat or stand.telegram.private(ann)
    words = f"{stand.telegram.bot.mention} {question}" if where.group else question
    asked: Said = stand.telegram.photo(ann, where, picture("red"), words)
    stand.work_on(asked).answer("A boat.")
    seen = stand.telegram.wait_for(
        lambda: next((one for one in stand.telegram.answers(where) if "👍" in one.buttons), None), PATIENCE_S
    )
    assert seen is not None
    stand.settled()
    return ann, seen


def verdicts(stand: Stand) -> list[tuple[int, str]]:
    with stand.at.store.read() as repositories:
        return [(row.rating, row.reason) for row in repositories.session.query(Feedback).order_by(Feedback.created_at)]


def press(stand: Stand, user: User, seen: Seen, label: str) -> str:
    """Press, and what the notice says."""
    pressed = stand.telegram.press(user, seen.message, label)
    stand.telegram.wait_for(lambda: pressed.answered, PATIENCE_S)
    return pressed.text


def said(stand: Stand, chat: Chat, number: int = 1) -> str:
    """The last of so many messages of ours."""
    stand.telegram.wait_for(lambda: len(stand.telegram.answers(chat)) >= number, PATIENCE_S)
    return stand.telegram.answers(chat)[-1].text


def test_thumbs_are_kept_and_reasons_take_their_place(stand: Stand) -> None:
    before = len(verdicts(stand))
    ann, seen = answered(stand, "Any good?")
    assert press(stand, ann, seen, "👎") == "Thank you. What was wrong?"
    assert seen.message.labels[0] == "Not correct"
    assert press(stand, ann, seen, "Not correct") == "Thank you."
    assert seen.message.labels == ("👍", "👎")
    assert verdicts(stand)[before:] == [(-1, "wrong")]
    assert press(stand, ann, seen, "👍") == "Thank you."
    assert verdicts(stand)[before:] == [(1, "")]


def test_a_reaction_of_an_administrators_group_is_a_verdict(stand: Stand) -> None:
    ann = stand.telegram.user("ann")
    group = stand.telegram.group("harbour", ann, admin=True)
    before = len(verdicts(stand))
    _, seen = answered(stand, "And this one?", group, ann)
    for emoji, kept in (("👍", [(1, "")]), ("👎", [(-1, "")]), ("🔥", [(0, "")]), ("", [(0, "")])):
        stand.telegram.react(ann, seen.message, emoji)
        if kept == [(0, "")]:
            until(lambda: verdicts(stand)[before:] in ([], [(0, "")]), "the verdict is taken back")
        else:
            until(lambda kept=kept: verdicts(stand)[before:] == kept, f"{emoji} is kept")  # type: ignore[misc]


@pytest.mark.parametrize("data", ["", "nonsense", "up:0123456789abcdef", "approve:0123456789abcdef:send", "mode:x:y:z"])
def test_every_press_is_answered(stand: Stand, data: str) -> None:
    ann, seen = answered(stand, "Odd presses?")
    pressed = stand.telegram.press_old(ann, seen.message, data)
    stand.telegram.wait_for(lambda: pressed.answered, PATIENCE_S)


def test_who_is_not_served_cannot_press(fresh_at: Installation) -> None:
    with FakeTelegram() as telegram:
        ann, eve = telegram.user("ann"), telegram.user("eve")
        with adapter_over(fresh_at, telegram, telegram_users=(str(ann.id),)) as stand:
            _, seen = answered(stand, "Whose?", user=ann)
            assert press(stand, eve, seen, "👎") == "I may not answer you here."
            assert verdicts(stand) == []


def test_a_deep_link_chooses_the_mode(stand: Stand) -> None:
    dora = stand.telegram.user("dora")
    stand.telegram.start(dora, "shopping")
    words = said(stand, stand.telegram.private(dora))
    assert words.startswith("From the next answer on the mode here is shopping:")
    assert "shows how much you have asked" in words


def test_a_language_that_was_chosen_stays(stand: Stand) -> None:
    dora = stand.telegram.user("dora", language="en")
    chat = stand.telegram.private(dora)
    stand.telegram.say(dora, chat, "/lang zh")
    assert said(stand, chat) == "我现在用中文和你交流。回答会使用你提问时的语言。"
    stand.telegram.say(dora, chat, "/usage")
    assert said(stand, chat, 2).startswith("今天：")


def test_what_failed_is_answered_once_more_when_asked_to(stand: Stand) -> None:
    fred = stand.telegram.user("fred")
    chat = stand.telegram.private(fred)
    stand.telegram.say(fred, chat, "/retry")
    assert said(stand, chat) == "Nothing was asked here yet."
    asked = stand.telegram.photo(fred, chat, picture("red"), "What is it?")
    stand.work_on(asked).fail("engine_error", "The model stumbled.")
    stand.telegram.wait_for(lambda: any("Try again" in one.buttons for one in stand.telegram.answers(chat)), PATIENCE_S)
    stand.telegram.say(fred, chat, "/retry")
    stand.work_on(asked).answer("A red field.")
    stand.telegram.wait_for(lambda: stand.telegram.answers(chat)[-1].text == "A red field.", PATIENCE_S)
    stand.settled()
    assert [one.text for one in stand.telegram.answers(chat)].count("A red field.") == 1


def test_what_is_kept_of_a_person_is_told(stand: Stand) -> None:
    gina = stand.telegram.user("gina")
    chat = stand.telegram.private(gina)
    stand.telegram.say(gina, chat, "/privacy")
    assert "Messages in Telegram itself are Telegram's" in said(stand, chat)
    assert stand.telegram.answers(chat)[-1].buttons == ("Erase my conversations",)


def test_a_group_that_is_not_listed_is_not_answered(fresh_at: Installation) -> None:
    with FakeTelegram() as telegram:
        ann = telegram.user("ann")
        listed, other = telegram.group("listed", ann), telegram.group("other", ann)
        with adapter_over(fresh_at, telegram, telegram_chats=(str(listed.id),)) as stand:
            mention = telegram.bot.mention
            unheard = telegram.photo(ann, other, picture("red"), f"{mention} What is it?")
            heard = telegram.photo(ann, listed, picture("red"), f"{mention} What is it?")
            stand.work_on(heard).answer("A red field.")
            telegram.wait_for(lambda: telegram.answers(listed), PATIENCE_S)
            assert stand.no_turn_of(unheard)
            assert telegram.answers(other) == []


def test_commands_for_other_bots_are_theirs(stand: Stand) -> None:
    ann = stand.telegram.user("ann")
    group = stand.telegram.group("bots", ann, admin=True)
    stand.telegram.say(ann, group, "/help@other_bot")
    stand.telegram.say(ann, group, "/roll 20")
    stand.telegram.say(ann, group, f"/stop{stand.telegram.bot.mention}")
    assert said(stand, group) == "Nothing is being answered here."
    assert len(stand.telegram.answers(group)) == 1


def test_the_menu_is_in_the_language_and_for_the_place(stand: Stand) -> None:
    ann, bob = stand.telegram.user("ann"), stand.telegram.user("bob", language="zh-hans")
    private, group = stand.telegram.private(ann), stand.telegram.group("bots", ann, bob)
    stand.telegram.wait_for(lambda: len(stand.telegram.called("setMyCommands")) >= 8, PATIENCE_S)
    assert stand.telegram.commands(private, ann) == [c.command for c in commands_for("en", in_groups=False)]
    assert stand.telegram.commands(group, bob) == [c.command for c in commands_for("zh", in_groups=True)]
    assert [c.description for c in commands_for("en", in_groups=False)] != [
        c.description for c in commands_for("zh", in_groups=False)
    ]


def test_a_menu_that_is_right_is_left_alone(fresh_at: Installation) -> None:
    with FakeTelegram() as telegram:
        with adapter_over(fresh_at, telegram):
            telegram.wait_for(lambda: [c for c in telegram.called("setMyCommands") if c.ok][7:], PATIENCE_S)
        with adapter_over(fresh_at, telegram):
            telegram.wait_for(lambda: [c for c in telegram.called("getMyCommands") if c.ok][15:], PATIENCE_S)
        assert len(telegram.called("setMyCommands")) == 8
