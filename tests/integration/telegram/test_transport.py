"""Polling and webhook: an update is acknowledged when it is in SQL, and not before; nothing is taken twice."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from sqlalchemy import text

from core.store.models import Turn
from core.values import Platform, TurnState
from tests.fakes.telegram import FakeTelegram
from tests.integration.telegram.stand import Stand, adapter_over
from tests.integration.web.site import picture
from tests.processes import PATIENCE_S, Installation, until

SECRET = "x-telegram-bot-api-secret-token"
PUBLIC = "https://glimt.example.org/telegram/webhook"


def test_a_database_that_is_away_holds_back_the_offset(fresh_at: Installation) -> None:
    with FakeTelegram() as telegram, adapter_over(fresh_at, telegram) as stand:
        ann = telegram.user("ann")
        chat = telegram.private(ann)
        stand.turn_of(telegram.say(ann, chat, "First?"))
        with fresh_at.store.write() as repositories:
            # Nobody else can write until the block ends.
            repositories.session.connection()
            asked = telegram.say(ann, chat, "Second?")
            telegram.wait_for(lambda: telegram.updates.every[-1].given > 0, PATIENCE_S)
            assert not telegram.updates.every[-1].confirmed
        assert stand.turn_of(asked).question == "Second?"
        stand.taken()
        assert [turn.question for turn in stand.turns_in(chat)] == ["First?", "Second?"]


def test_a_restart_goes_on_where_the_process_before_ended(fresh_at: Installation) -> None:
    with FakeTelegram() as telegram:
        ann = telegram.user("ann")
        chat = telegram.private(ann)
        with adapter_over(fresh_at, telegram) as stand:
            stand.turn_of(telegram.say(ann, chat, "First?"))
        between = telegram.say(ann, chat, "Second?")
        with adapter_over(fresh_at, telegram) as stand:
            assert stand.turn_of(between).question == "Second?"
            stand.taken()
            assert [turn.question for turn in stand.turns_in(chat)] == ["First?", "Second?"]


def test_what_waits_for_more_is_gathered_by_the_next_process(fresh_at: Installation) -> None:
    with FakeTelegram() as telegram:
        ann = telegram.user("ann")
        chat = telegram.private(ann)
        with adapter_over(fresh_at, telegram, telegram_album_wait_s=9.0) as stand:
            asked = telegram.album(ann, chat, [picture("red"), picture("blue")], "Which?", late=1)
            stand.turn_of(asked)
            stand.taken()
        asked.arrive()
        with adapter_over(fresh_at, telegram) as stand:
            turn = stand.ready(asked)
            assert [a.state for a in turn.attachments] == ["stored", "stored"]
            assert len(stand.turns_in(chat)) == 1


@pytest.mark.parametrize("trouble", ["bad gateway", "flood", "dropped", "down"])
def test_polling_goes_on_after(fresh_at: Installation, trouble: str) -> None:
    with FakeTelegram() as telegram, adapter_over(fresh_at, telegram, poll_s=1) as stand:
        ann = telegram.user("ann")
        chat = telegram.private(ann)
        stand.turn_of(telegram.say(ann, chat, "First?"))
        match trouble:
            case "bad gateway":
                telegram.faults.break_("getUpdates", times=2)
            case "flood":
                telegram.faults.limit("getUpdates", 1)
            case "dropped":
                telegram.faults.lose_answer("getUpdates")
            case "down":
                telegram.go_down()
                telegram.come_up()
        asked = telegram.say(ann, chat, "Second?")
        assert stand.turn_of(asked).question == "Second?"
        stand.taken()
        assert len(stand.turns_in(chat)) == 2


def test_another_poller_is_met_and_told_to_the_doctor(fresh_at: Installation) -> None:
    with FakeTelegram() as telegram, adapter_over(fresh_at, telegram, poll_s=20) as stand:
        ann = telegram.user("ann")
        chat = telegram.private(ann)
        stand.turn_of(telegram.say(ann, chat, "First?"))
        stand.taken()
        key = f"glimt:telegram:conflict:{telegram.bot.id}"

        def noted() -> bool:
            # Somebody else waits for updates, again and again: whoever waited before is sent away each time.
            other = httpx.post(f"{telegram.base_url}{telegram.bot_token}/getUpdates", data={"timeout": 1})
            assert other.status_code in (200, 409)
            return fresh_at.redis.get(key) is not None

        assert fresh_at.redis.get(key) is None
        until(noted, "the conflict is noted")


def test_an_update_that_the_sdk_cannot_read_holds_up_nobody(fresh_at: Installation) -> None:
    with FakeTelegram() as telegram, adapter_over(fresh_at, telegram) as stand:
        ann = telegram.user("ann")
        chat = telegram.private(ann)
        telegram.updates.hold()
        broken = telegram.say(ann, chat, "Broken?")
        whole = telegram.say(ann, chat, "Whole?")
        held = telegram.updates._held
        assert held is not None
        telegram.updates._held = None
        with telegram.lock:
            for kind, body, where in held:
                update = telegram.updates.push(kind, body, where)
                assert update is not None
                if body["message_id"] == broken.id:
                    update.body = {"message_id": broken.id, "date": "yesterday", "chat": 7}
        assert stand.turn_of(whole).question == "Whole?"
        assert stand.no_turn_of(broken)


@contextmanager
def posted_to(at: Installation, telegram: FakeTelegram) -> Iterator[Stand]:
    """The adapter with a webhook that Telegram reaches."""
    with adapter_over(at, telegram, telegram_transport="webhook", telegram_webhook_url=PUBLIC) as stand:
        telegram.webhook.reach["https://glimt.example.org"] = stand.url
        telegram.wait_for(lambda: telegram.webhook.url == PUBLIC, PATIENCE_S)
        yield stand


def test_a_webhook_is_set_with_a_secret_and_takes_updates(fresh_at: Installation) -> None:
    with FakeTelegram() as telegram, posted_to(fresh_at, telegram) as stand:
        assert telegram.webhook.secret == stand.settings.telegram_secret
        ann = telegram.user("ann")
        chat = telegram.private(ann)
        asked = telegram.say(ann, chat, "What is a cube?")
        assert stand.turn_of(asked).question == "What is a cube?"
        stand.taken()
        telegram.updates.repeat(*telegram.updates.every)
        assert stand.turn_of(telegram.say(ann, chat, "And a sphere?")).question == "And a sphere?"
        assert len(stand.turns_in(chat)) == 2


def test_only_telegram_can_post(fresh_at: Installation) -> None:
    with FakeTelegram() as telegram, posted_to(fresh_at, telegram) as stand:
        address = f"{stand.url}/telegram/webhook"
        ann = telegram.user("ann")
        forged = {
            "update_id": 1,
            "message": {
                "message_id": 1,
                "date": 1,
                "chat": {"id": ann.id, "type": "private"},
                "from": {"id": ann.id, "is_bot": False, "first_name": "Ann"},
                "text": "Forged?",
            },
        }
        secret = stand.settings.telegram_secret
        for headers in ({}, {SECRET: ""}, {SECRET: secret[:-1]}, {SECRET: secret.upper()}, {SECRET: "ü" * 64}):
            sent = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
            assert httpx.post(address, json=forged, headers=sent).status_code == 401
        double = [(SECRET, secret), (SECRET, secret)]
        assert httpx.post(address, json=forged, headers=double).status_code == 401
        right = {SECRET: secret}
        assert httpx.post(address, content=b"{", headers=right).status_code == 400
        assert httpx.post(address, json=[forged], headers=right).status_code == 400
        assert httpx.post(address, content=b" " * 2_000_000, headers=right).status_code == 413
        assert stand.turns_in(telegram.private(ann)) == []
        assert httpx.post(address, json=forged, headers=right).status_code == 200
        assert [turn.question for turn in stand.turns_in(telegram.private(ann))] == ["Forged?"]


def test_while_the_database_is_away_telegram_keeps_the_update(fresh_at: Installation) -> None:
    with FakeTelegram() as telegram, posted_to(fresh_at, telegram) as stand:
        ann = telegram.user("ann")
        chat = telegram.private(ann)
        rename(fresh_at, "inbound_events", "gone")
        asked = telegram.say(ann, chat, "Hello?")
        telegram.wait_for(lambda: telegram.webhook.attempts, PATIENCE_S)
        assert telegram.webhook.attempts[0].status == 503
        assert not telegram.updates.every[-1].confirmed
        rename(fresh_at, "gone", "inbound_events")
        assert stand.turn_of(asked).question == "Hello?"


def rename(at: Installation, table: str, name: str) -> None:
    with at.store.write() as repositories:
        repositories.session.execute(text(f"ALTER TABLE {table} RENAME TO {name}"))


def test_a_process_that_is_killed_loses_nothing(fresh_at: Installation) -> None:
    with FakeTelegram() as telegram:
        ann = telegram.user("ann")
        chat = telegram.private(ann)
        env = {
            "TELEGRAM_BOT_TOKEN": telegram.bot_token,
            "TELEGRAM_API_URL": telegram.url,
            "GLIMT_TELEGRAM_ALBUM_WAIT_S": "9",
        }
        fresh_at.start_bots(**env)
        asked = telegram.album(ann, chat, [picture("red"), picture("blue")], "Which?", late=1)
        telegram.wait_for(lambda: telegram.updates.every and not telegram.updates.waiting, PATIENCE_S)
        fresh_at.processes[-1].kill()
        fresh_at.processes[-1].wait()
        asked.arrive()
        fresh_at.start_bots(**env | {"GLIMT_TELEGRAM_ALBUM_WAIT_S": "0.5"})

        def ready() -> Turn | None:
            with fresh_at.store.read() as repositories:
                event = repositories.inbound.find(Platform.TELEGRAM, f"{telegram.bot.id}:{chat.id}:{asked.id}")
                turn = repositories.turns.get(event.turn_id) if event is not None and event.turn_id else None
            return turn if turn is not None and turn.state == TurnState.READY else None

        turn = until(ready, "the question is whole")
        assert turn is not None
        assert [(a.name, a.state) for a in turn.attachments] == [("photo 1", "stored"), ("photo 2", "stored")]


def test_polling_removes_the_webhook_that_would_shut_it_out(fresh_at: Installation) -> None:
    with FakeTelegram() as telegram:
        telegram.webhook.url = "https://old.example.org/hook"
        with adapter_over(fresh_at, telegram) as stand:
            ann = telegram.user("ann")
            asked = telegram.say(ann, telegram.private(ann), "Hello?")
            assert stand.turn_of(asked).question == "Hello?"
            assert not telegram.webhook.url
