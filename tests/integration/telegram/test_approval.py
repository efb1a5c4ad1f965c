"""Owner approves first: what a shop's customers get is what its owner let through, once."""

from collections.abc import Iterator

import pytest

from core.store.telegram_approvals import ApprovalState, TelegramApproval
from tests.fakes.telegram import BusinessConnection, Chat, FakeTelegram, Said, Seen, User
from tests.integration.telegram.stand import Stand, adapter_over
from tests.integration.web.site import picture
from tests.processes import PATIENCE_S, Installation, installation, until

ANSWER = "Yes, in *blue* and green."
SHOWN = "Yes, in blue and green."


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """The adapter where owners approve."""
    with installation(tmp_path_factory.mktemp("shops")) as at, FakeTelegram() as telegram:
        telegram.know_rich()
        with adapter_over(at, telegram, telegram_business="approve") as made:
            yield made


class Shop:
    """A shop with its owner and a customer, who has asked."""

    def __init__(self, stand: Stand, question: str, language: str = "en") -> None:
        self.stand, telegram = stand, stand.telegram
        self.owner: User = telegram.user("olga", language=language)
        self.carl: User = telegram.user("carl")
        telegram.start(self.owner)
        self.link: BusinessConnection = telegram.connect(self.owner)
        self.chat: Chat = telegram.customer(self.link, self.carl)
        self.office: Chat = telegram.private(self.owner)
        self.asked: Said = telegram.photo(self.carl, self.chat, picture("red"), question)

    def proposal(self, answer: str = ANSWER) -> Seen:
        """What the owner is shown, with its buttons."""
        self.stand.work_on(self.asked).answer(answer)
        return self.stand.telegram.wait_for(lambda: self._open(), PATIENCE_S)[0]

    def _open(self) -> list[Seen]:
        return [one for one in self.stand.telegram.answers(self.office) if len(one.buttons) > 1]

    def decided(self, label: str) -> None:
        """Until the owner's message says so."""
        self.stand.telegram.wait_for(
            lambda: any(one.buttons == (label,) for one in self.stand.telegram.answers(self.office)), PATIENCE_S
        )

    def got(self) -> list[str]:
        """What the customer got."""
        return [one.text for one in self.stand.telegram.answers(self.chat)]

    def press(self, seen: Seen, label: str, by: User | None = None) -> str:
        """Somebody presses; what he is told."""
        press = self.stand.telegram.press_old(by or self.owner, seen.message, self._data(seen, label))
        self.stand.telegram.wait_for(lambda: press.answered, PATIENCE_S)
        return press.text

    def _data(self, seen: Seen, label: str) -> str:
        choice = {"Send": "send", "Edit": "edit", "Discard": "drop"}[label]
        return f"approve:{self.stand.turn_of(self.asked).id}:{choice}"

    def row(self) -> TelegramApproval:
        with self.stand.at.store.read() as repositories:
            row = repositories.approvals.get(self.stand.turn_of(self.asked).id)
        assert row is not None
        return row


def test_what_the_owner_sends_the_customer_gets_once(shops: Stand) -> None:
    shop = Shop(shops, "Do you have this in *blue*?")
    seen = shop.proposal()
    assert seen.buttons == ("Send", "Edit", "Discard")
    assert seen.text == (
        "Carl asked you, and this is my answer. It is sent once you say so.\n\nDo you have this in *blue*?\n\n" + SHOWN
    )
    assert shop.got() == []
    assert shops.telegram.called("sendChatAction") == []
    told = [shop.press(seen, "Send"), shop.press(seen, "Send"), shop.press(seen, "Discard")]
    assert told == ["It is sent.", *["This was decided already, or has expired."] * 2]
    shop.decided("✅ Sent")
    shops.settled()
    assert shop.got() == [SHOWN]
    assert shops.telegram.answers(shop.chat)[0].buttons == ()


def test_the_owners_own_words_are_sent_instead_and_remembered(shops: Stand) -> None:
    shop = Shop(shops, "How much is it?")
    seen = shop.proposal("A circle.")
    assert shop.press(seen, "Edit") == "Reply to this message with the text that shall be sent instead."
    shops.telegram.say(shop.owner, shop.office, "It costs 20 euros.", reply_to=seen.message)
    shop.decided("✅ Sent")
    assert shop.got() == ["It costs 20 euros."]
    assert shops.turn(shops.turn_of(shop.asked).id).answer == "It costs 20 euros."
    late = shops.telegram.say(shop.owner, shop.office, "No, 30!", reply_to=seen.message)
    assert shops.no_turn_of(late)
    shops.settled()
    assert shop.got() == ["It costs 20 euros."]


def test_what_is_discarded_nobody_gets(shops: Stand) -> None:
    shop = Shop(shops, "Is it broken?", language="zh-hans")
    seen = shop.proposal()
    assert shop.press(seen, "Discard") == "不会发送任何内容。"
    shop.decided("🗑 已丢弃")
    shops.settled()
    assert shop.got() == []


def test_nobody_else_decides(shops: Stand) -> None:
    shop = Shop(shops, "May I?")
    seen = shop.proposal()
    assert shop.press(seen, "Send", by=shop.carl) == "This button is for somebody else."
    assert shop.row().state == ApprovalState.PROPOSED


def test_a_failed_answer_can_be_written_or_discarded_not_sent(shops: Stand) -> None:
    shop = Shop(shops, "Does it fail?")
    shops.work_on(shop.asked).fail(
        "deadline", "The answer took too long. Please ask again, or ask for something shorter."
    )
    seen = shops.telegram.wait_for(lambda: shop._open(), PATIENCE_S)[0]
    assert seen.buttons == ("Edit", "Discard")
    shops.telegram.say(shop.owner, shop.office, "It does not.", reply_to=seen.message)
    shop.decided("✅ Sent")
    assert shop.got() == ["It does not."]


def test_an_owner_who_forbids_answers_sends_none(shops: Stand) -> None:
    shop = Shop(shops, "Still allowed?")
    seen = shop.proposal()
    shops.telegram.change(shop.link, can_reply=False)
    shops.taken()
    assert shop.press(seen, "Send").startswith("I may not answer in your name any more.")
    assert (shop.got(), shop.row().state) == ([], ApprovalState.PROPOSED)


def test_what_telegram_refuses_in_the_end_the_owner_sees(shops: Stand) -> None:
    shop = Shop(shops, "After a day?")
    seen = shop.proposal()
    shops.telegram.faults.refuse("sendMessage", "BUSINESS_PEER_USAGE_MISSING", chat=shop.chat.id)
    shop.press(seen, "Send")
    shop.decided("⚠️ Telegram did not send it")
    assert shop.got() == []


def test_a_proposal_expires_visibly(fresh_at: Installation) -> None:
    with FakeTelegram() as telegram:
        with adapter_over(fresh_at, telegram, telegram_business="approve", telegram_approval_h=1e-5) as stand:
            shop = Shop(stand, "In time?")
            seen = shop.proposal()
            shop.decided("⌛ Expired, not sent")
            assert shop.press(seen, "Send") == "This was decided already, or has expired."
            stand.settled()
            assert shop.got() == []


def test_a_restart_between_proposal_press_and_answer_loses_and_doubles_nothing(fresh_at: Installation) -> None:
    with FakeTelegram() as telegram:
        with adapter_over(fresh_at, telegram, telegram_business="approve") as first:
            shop = Shop(first, "Across a restart?")
            seen = shop.proposal()
        telegram.press(shop.owner, seen.message, "Send")
        with adapter_over(fresh_at, telegram, telegram_business="approve") as second:
            shop.stand = second
            shop.decided("✅ Sent")
            until(lambda: shop.got() == [SHOWN], "the customer has it")
            second.settled()
            assert shop.got() == [SHOWN]
            assert len(telegram.answers(shop.office)) == 2  # The start and the proposal.
