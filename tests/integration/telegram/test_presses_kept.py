"""A press is a row until somebody has dealt with it, so that no process that dies takes it along."""

from datetime import timedelta

from bots.telegram.kept_presses import FORGET_AFTER
from core.store.models import Feedback, Turn
from core.values import utc_now
from tests.fakes.telegram import FakeTelegram, Message, User
from tests.integration.telegram.stand import Stand, adapter_over
from tests.processes import PATIENCE_S, Installation, until


def kept(at: Installation, telegram: FakeTelegram) -> int:
    with at.store.read() as repositories:
        return len(repositories.telegram.kept_updates(str(telegram.bot.id)))


def ratings(at: Installation) -> list[int]:
    with at.store.read() as repositories:
        return [row.rating for row in repositories.session.query(Feedback)]


def answered(stand: Stand, ann: User) -> tuple[Turn, Message]:
    """A question of Ann's that was answered, and our message."""
    chat = stand.telegram.private(ann)
    asked = stand.telegram.say(ann, chat, "What is a cube?")
    stand.work_on(asked).answer("A solid.")
    stand.settled()
    return stand.turn_of(asked), stand.telegram.answers(chat)[-1].message


def test_a_press_is_kept_until_it_was_dealt_with(fresh_at: Installation) -> None:
    with FakeTelegram() as telegram, adapter_over(fresh_at, telegram) as stand:
        ann = telegram.user("ann")
        _turn, answer = answered(stand, ann)
        gate = telegram.faults.hold("answerCallbackQuery")
        press = telegram.press(ann, answer, "👍")
        # It is taken in, although Telegram has not yet been answered.
        stand.taken()
        assert kept(fresh_at, telegram) == 1
        gate.open()
        telegram.wait_for(lambda: press.answered, PATIENCE_S)
        until(lambda: kept(fresh_at, telegram) == 0, "it is let go")
        assert ratings(fresh_at) == [1]


def test_the_next_process_deals_with_what_was_left(fresh_at: Installation) -> None:
    with FakeTelegram() as telegram:
        ann = telegram.user("ann")
        with adapter_over(fresh_at, telegram) as stand:
            _turn, answer = answered(stand, ann)
        telegram.press(ann, answer, "👎")
        (update,) = telegram.updates.waiting
        bot, old = str(telegram.bot.id), utc_now() - FORGET_AFTER - timedelta(minutes=1)
        with fresh_at.store.write() as repositories:
            # As a process leaves it that is killed behind its commit.
            repositories.telegram.keep_update(bot, update.id, update.as_json(), utc_now())
            repositories.telegram.keep_update(bot, 1, {**update.as_json(), "update_id": 1}, old)
        with adapter_over(fresh_at, telegram):
            until(lambda: kept(fresh_at, telegram) == 0, "nothing is left")
            until(lambda: ratings(fresh_at) == [-1], "it counts")
