"""Business accounts: questions of their customers, in their owners' name."""

from core.values import TurnState
from tests.fakes.telegram import FakeTelegram
from tests.integration.telegram.stand import Stand, adapter_over
from tests.integration.web.site import picture
from tests.processes import Installation

RED = picture("red", size=(320, 240))


def test_a_customer_is_answered_in_the_shops_name(stand: Stand, telegram: FakeTelegram) -> None:
    shop, kim = telegram.user("shop1"), telegram.user("kim1")
    link = telegram.connect(shop)
    chat = telegram.customer(link, kim)
    asked = telegram.photo(kim, chat, RED, "Do you have this?")
    stand.work_on(asked).answer("Yes, in red.")
    stand.settled()

    telegram.wait_for(lambda: telegram.answers(chat))
    assert [one.text for one in telegram.answers(chat)] == ["Yes, in red."]
    # What we wrote for the owner comes back as a message, and is none of a customer's.
    stand.taken()
    assert len(stand.turns_in(chat)) == 1
    with stand.at.store.read() as repositories:
        row = repositories.telegram.connection(link.id)
    assert row is not None
    assert (row.owner_id, row.owner_chat_id, row.can_reply, row.enabled) == (shop.id, shop.id, True, True)


def test_the_owners_own_words_are_no_questions(stand: Stand, telegram: FakeTelegram) -> None:
    shop, kim = telegram.user("shop2"), telegram.user("kim2")
    chat = telegram.customer(telegram.connect(shop), kim)
    said = telegram.say(shop, chat, "Hello Kim, how can I help?")
    command = telegram.say(kim, chat, "/new customer")

    assert stand.no_turn_of(said)
    # To a customer it is no bot that has commands.
    assert stand.turn_of(command).question == "/new customer"


def test_where_we_may_not_reply_nothing_is_taken_in(stand: Stand, telegram: FakeTelegram) -> None:
    shop, kim = telegram.user("shop3"), telegram.user("kim3")
    link = telegram.connect(shop, can_reply=False)
    chat = telegram.customer(link, kim)
    said = telegram.say(kim, chat, "Hello?")
    assert stand.no_turn_of(said)
    # In one batch: what is allowed is known before the message behind it is looked at.
    telegram.updates.hold()
    telegram.change(link, can_reply=True)
    heard = telegram.say(kim, chat, "Anybody?")
    telegram.updates.release()
    stand.ready(heard)
    telegram.change(link, enabled=False)
    stand.taken()
    assert stand.turn_of(heard).state == TurnState.CANCELLED


def test_a_conversation_outlives_its_connection(stand: Stand, telegram: FakeTelegram) -> None:
    shop, kim = telegram.user("shop4"), telegram.user("kim4")
    link = telegram.connect(shop)
    first = telegram.say(kim, telegram.customer(link, kim), "First?")
    stand.work_on(first).answer("One.")
    stand.settled()
    telegram.change(link, enabled=False)
    again = telegram.customer(telegram.connect(shop), kim)
    second = telegram.say(kim, again, "Second?")

    assert stand.turn_of(second).conversation_id == stand.turn_of(first).conversation_id


def test_edits_and_deletions_reach_what_waits(stand: Stand, telegram: FakeTelegram) -> None:
    shop, kim = telegram.user("shop5"), telegram.user("kim5")
    chat = telegram.customer(telegram.connect(shop), kim)
    asked = telegram.say(kim, chat, "Do you have blu ones?")
    stand.ready(asked)
    telegram.edit(asked.message, "Do you have blue ones?")
    stand.taken()
    assert stand.turn_of(asked).question == "Do you have blue ones?"
    telegram.delete(asked.message)
    stand.taken()
    assert stand.turn_of(asked).state == TurnState.CANCELLED


def test_customers_of_different_shops_never_share_a_conversation(stand: Stand, telegram: FakeTelegram) -> None:
    kim = telegram.user("kim6")
    shops = [telegram.connect(telegram.user(name)) for name in ("shop6", "shop7")]
    asked = [telegram.say(kim, telegram.customer(link, kim), "Hello?") for link in shops]
    own = telegram.say(kim, telegram.private(kim), "Hello?")

    assert len({stand.turn_of(said).conversation_id for said in (*asked, own)}) == 3


def test_a_connection_that_was_made_while_nobody_listened(fresh_at: Installation) -> None:
    with FakeTelegram() as telegram:
        shop, kim = telegram.user("shop"), telegram.user("kim")
        telegram.updates.hold()
        link = telegram.connect(shop)
        telegram.updates.release()
        telegram.updates.drop()
        with adapter_over(fresh_at, telegram) as stand:
            asked = telegram.say(kim, telegram.customer(link, kim), "Hello?")
            assert stand.turn_of(asked).question == "Hello?"


def test_they_can_be_left_out_altogether(fresh_at: Installation) -> None:
    with FakeTelegram() as telegram, adapter_over(fresh_at, telegram, telegram_business="off") as stand:
        shop, kim = telegram.user("shop"), telegram.user("kim")
        said = telegram.say(kim, telegram.customer(telegram.connect(shop), kim), "Hello?")
        assert stand.no_turn_of(said)
