"""/forget: nothing that somebody said, sent or is called is left in any table, nor his pictures in the blob store."""

from sqlalchemy import select, text

from core.store.base import Base
from core.values import TurnState
from tests.fakes.telegram import Chat, FakeTelegram, Seen, User
from tests.integration.telegram.stand import Stand, adapter_over
from tests.integration.web.site import picture
from tests.processes import PATIENCE_S, Installation, until

CANARY = "canary"


def rows_with(stand: Stand, word: str) -> set[str]:
    """The tables (and columns) in which a word stands."""
    found = set()
    with stand.at.store.read() as repositories:
        for table in Base.metadata.sorted_tables:
            for row in repositories.session.execute(select(table)).mappings():
                found |= {f"{table.name}.{column}" for column, value in row.items() if word in str(value).lower()}
        # What is searched for is kept beside the tables of the models.
        if any(word in str(row).lower() for row in repositories.session.execute(text("SELECT words FROM turn_words"))):
            found.add("turn_words.words")
    return found


def forget(stand: Stand, who: User, chat: Chat) -> None:
    """Say so, and say it again by the button."""
    before = len(stand.telegram.answers(chat))
    stand.telegram.say(who, chat, "/forget")

    def asked() -> list[Seen]:
        return [one for one in stand.telegram.answers(chat)[before:] if "Erase everything" in one.buttons]

    question = stand.telegram.wait_for(asked, PATIENCE_S)[0]
    stand.telegram.press(who, question.message, "Erase everything")
    stand.telegram.wait_for(lambda: any("Erased: " in one.text for one in stand.telegram.answers(chat)), PATIENCE_S)


def test_nothing_is_left_of_whoever_is_forgotten(fresh_at: Installation) -> None:
    with FakeTelegram() as telegram, adapter_over(fresh_at, telegram) as stand:
        ann, bob = telegram.user(f"{CANARY}-ann"), telegram.user("bob")
        chat, group = telegram.private(ann), telegram.group("harbour", ann, bob)
        asked = telegram.document(ann, chat, f"{CANARY}.png", picture("red"), f"A {CANARY}?")
        stand.work_on(asked).answer(f"A {CANARY}.")
        unread = telegram.document(ann, chat, f"{CANARY}.zip", b"no picture", f"And this {CANARY}?")
        stand.work_on(unread).fail("deadline", "The answer took too long. Please ask again.")
        stand.settled()
        answer = next(one for one in telegram.answers(chat) if one.text == f"A {CANARY}.")
        pressed = telegram.press(ann, answer.message, "👎")
        telegram.wait_for(lambda: pressed.answered, PATIENCE_S)
        in_group = telegram.say(ann, group, f"{telegram.bot.mention} Is it a {CANARY}?")
        stand.work_on(in_group).say(f"It is a {CANARY}")
        of_bob = telegram.say(bob, group, f"{telegram.bot.mention} And mine?")
        waiting = telegram.photo(ann, chat, picture("blue"), f"The last {CANARY}?")
        stand.ready(waiting)
        (blob,) = [a.blob_key for a in stand.turn(stand.turn_of(asked).id).attachments]
        assert rows_with(stand, CANARY)

        forget(stand, ann, chat)

        # What an answer leaves that was on its way is gone with it.
        until(lambda: not rows_with(stand, CANARY), "nothing is left")
        assert rows_with(stand, str(ann.id)) <= {
            "people.external_id",
            "places.external_id",
            "inbound_events.event_key",
        }
        assert not rows_with(stand, blob) or rows_with(stand, blob) == {"erasures.blobs_left"}
        # Telegram repeats itself, and what is gone does not come back.
        telegram.updates.repeat(*telegram.updates.every)
        stand.taken()
        assert not rows_with(stand, CANARY)
        assert stand.turn_of(of_bob).state == TurnState.READY


def test_nothing_is_left_of_a_customer_either_whose_owner_has_decided(fresh_at: Installation) -> None:
    with FakeTelegram() as telegram, adapter_over(fresh_at, telegram, telegram_business="approve") as stand:
        olga = telegram.user("olga")
        telegram.start(olga)
        shop = telegram.connect(olga)
        carl = telegram.user(f"{CANARY}-carl")
        chat = telegram.customer(shop, carl)
        asked = telegram.say(carl, chat, f"A {CANARY}?")
        stand.work_on(asked).answer(f"A {CANARY}.")
        proposal = telegram.wait_for(
            lambda: [one for one in telegram.answers(telegram.private(olga)) if "Send" in one.buttons], PATIENCE_S
        )[0]
        telegram.press(olga, proposal.message, "Send")
        telegram.wait_for(lambda: telegram.answers(chat), PATIENCE_S)
        stand.settled()
        # In his own chat with the bot he is the same person.
        forget(stand, carl, telegram.private(carl))
        until(lambda: not rows_with(stand, CANARY), "nothing is left")
        assert not rows_with(stand, stand.key_of(asked)) - {"inbound_events.event_key"}
