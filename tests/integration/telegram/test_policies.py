"""What admins decide, as Telegram's chats notice it, in a bots process that is not started again."""

from core.values import Platform
from tests.deciding import decide, until_noticed
from tests.fakes.telegram import Chat, FakeTelegram
from tests.integration.telegram.stand import Stand, adapter_over
from tests.integration.web.site import picture
from tests.processes import PATIENCE_S, Installation


def decided(stand: Stand, chat: Chat | None = None, **document: object) -> None:
    """Decide it for a group, or for all of the bot's chats; the running process notices by itself."""
    place = str(chat.id) if chat is not None else ""
    decide(stand.at.store, Platform.TELEGRAM, str(stand.telegram.bot.id), place, **document)
    until_noticed(stand.at.store, stand.services.policies)


def test_a_group_where_every_message_with_a_picture_is_answered(stand: Stand, telegram: FakeTelegram) -> None:
    ann, bob = telegram.user("ann-p"), telegram.user("bob-p")
    group = telegram.group("Pictures", ann, bob, admin=True)
    before = telegram.photo(ann, group, picture(), "Before")
    assert stand.no_turn_of(before)
    decided(stand, group, listens="pictures")
    asked = telegram.photo(ann, group, picture(), "Which colour?")
    stand.work_on(asked).answer("Red.")
    telegram.wait_for(lambda: telegram.answers(group), PATIENCE_S)
    alone = telegram.photo(bob, group, picture())
    assert stand.ready(alone).question == ""
    assert stand.no_turn_of(telegram.say(bob, group, "Only words"))
    # Somebody shows it to somebody else.
    assert stand.no_turn_of(telegram.photo(ann, group, picture(), f"@{bob.username} look"))


def test_a_group_where_only_mentions_are_answered(stand: Stand, telegram: FakeTelegram) -> None:
    ann = telegram.user("ann-m")
    group = telegram.group("Mentions", ann, admin=True)
    decided(stand, group, listens="mentions")
    asked = telegram.say(ann, group, f"{telegram.bot.mention} what is a cube?")
    stand.work_on(asked).answer("A solid.")
    telegram.wait_for(lambda: telegram.answers(group), PATIENCE_S)
    ours = telegram.answers(group)[0].message
    assert stand.no_turn_of(telegram.say(ann, group, "and a ball?", reply_to=ours))
    assert stand.turn_of(telegram.say(ann, group, f"{telegram.bot.mention} and a ball?", reply_to=ours)).seq == 2


def test_a_silent_group(stand: Stand, telegram: FakeTelegram) -> None:
    ann = telegram.user("ann-s")
    group = telegram.group("Silent", ann, admin=True)
    decided(stand, group, listens="never")
    assert stand.no_turn_of(telegram.say(ann, group, f"{telegram.bot.mention} anybody?"))
    telegram.say(ann, group, f"/help@{telegram.bot.username}")
    stand.taken()
    assert stand.turn_of(telegram.say(ann, telegram.private(ann), "And here?")).question == "And here?"
    assert telegram.answers(group) == []


def test_who_must_not_ask_and_who_asks_too_much(fresh_at: Installation) -> None:
    with FakeTelegram() as telegram, adapter_over(fresh_at, telegram) as stand:
        ann, lin = telegram.user("ann"), telegram.user("lin", language="zh-hans")
        group, alone, hers = telegram.group("All", ann, lin, admin=True), telegram.private(lin), telegram.private(ann)
        decided(stand, people=[str(ann.id)], questions_per_day=1)
        for n in range(3):
            assert stand.no_turn_of(telegram.say(lin, alone, f"Let me in {n}"))
        assert stand.no_turn_of(telegram.say(lin, group, f"{telegram.bot.mention} and here?"))
        telegram.wait_for(lambda: telegram.answers(alone), PATIENCE_S)
        stand.turn_of(telegram.say(ann, hers, "I may ask"))
        decided(stand, questions_per_day=1)
        first = telegram.say(lin, alone, "Now I may ask")
        stand.work_on(first).answer("You may.")
        telegram.wait_for(lambda: len(telegram.answers(alone)) == 2, PATIENCE_S)
        assert stand.no_turn_of(telegram.say(lin, alone, "One too many"))
        telegram.wait_for(lambda: len(telegram.answers(alone)) == 3, PATIENCE_S)
        refused, answered, limited = [answer.text for answer in telegram.answers(alone)]
        assert refused == "我不能在这里回答你：由管理员决定可以回答谁。请让你的管理员把你加进来。"
        assert answered.startswith("You may.")
        assert limited.startswith("你已达到提问上限：每天 1 个")
        assert telegram.answers(group) == []
