"""How updates reach the bot: long polling, its offset and its conflicts; webhooks and their retries."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from aiohttp import web
from telegram import Bot, Update
from telegram.error import BadRequest, Conflict
from telegram.ext import Application, ApplicationBuilder, MessageHandler, filters

from tests.fakes.loopback import serve
from tests.fakes.telegram import Chat, FakeTelegram, User
from tests.integration.fakes.conftest import Do, request

PUBLIC = "https://bot.example.org"


def texts(updates: tuple[Update, ...]) -> list[str]:
    return [str(update.effective_message.text) for update in updates if update.effective_message]


def test_the_offset_confirms(telegram: FakeTelegram, bot: Bot, do: Do[Any], chat: Chat, alice: User) -> None:
    for text in ("one", "two", "three"):
        telegram.say(alice, chat, text)
    first = do(bot.get_updates(limit=2))
    assert texts(first) == ["/start", "one"]
    assert texts(do(bot.get_updates())) == ["/start", "one", "two", "three"]
    rest = do(bot.get_updates(offset=first[-1].update_id + 1))
    assert texts(rest) == ["two", "three"]
    assert [update.update_id for update in rest] == [first[-1].update_id + 1, first[-1].update_id + 2]
    assert [update.confirmed for update in telegram.updates.every] == [True, True, False, False]
    assert texts(do(bot.get_updates(offset=-1))) == ["three"]
    assert texts(do(bot.get_updates())) == ["three"]


def test_a_poll_waits(telegram: FakeTelegram, bot: Bot, do: Do[Any], chat: Chat, alice: User) -> None:
    async def both() -> tuple[Update, ...]:
        poll = asyncio.create_task(bot.get_updates(offset=telegram.updates.every[-1].id + 1, timeout=20))
        await telegram.until(lambda: telegram.called("getUpdates"))
        telegram.say(alice, chat, "hello")
        return await poll

    assert texts(do(both())) == ["hello"]


def test_two_pollers(telegram: FakeTelegram, bot: Bot, do: Do[Any], chat: Chat) -> None:
    async def both() -> None:
        nothing = telegram.updates.every[-1].id + 1
        first = asyncio.create_task(bot.get_updates(offset=nothing, timeout=20))
        await telegram.until(lambda: telegram.called("getUpdates"))
        # One that does not wait disturbs none that does.
        assert await bot.get_updates(offset=nothing) == ()
        second = asyncio.create_task(bot.get_updates(offset=nothing, timeout=20))
        with pytest.raises(Conflict, match="terminated by other getUpdates request"):
            await first
        await bot.set_webhook(f"{PUBLIC}/hook")
        with pytest.raises(Conflict, match="terminated by setWebhook request"):
            await second
        with pytest.raises(Conflict, match="webhook is active"):
            await bot.get_updates()
        await bot.delete_webhook()
        assert await bot.get_updates(offset=nothing) == ()

    do(both())


def test_only_what_was_asked_for_is_kept(
    telegram: FakeTelegram, bot: Bot, do: Do[Any], chat: Chat, alice: User
) -> None:
    said = telegram.say(alice, chat, "one")
    telegram.react(alice, said.message, "👍")
    telegram.edit(said.message, "two")
    kinds = ["message", "message_reaction"]
    assert [update.message is None for update in do(bot.get_updates(allowed_updates=kinds))] == [False, False, True]
    telegram.react(alice, said.message, "👎")
    telegram.edit(said.message, "three")
    telegram.block(alice)
    last = do(bot.get_updates())[-1].message_reaction
    assert (last.old_reaction[0].emoji, last.new_reaction[0].emoji) == ("👍", "👎")
    do(bot.get_updates(allowed_updates=["telepathy"]))
    assert telegram.take_violations() == ["allowed_updates: unknown ['telepathy']"]


def test_duplicates_late_and_out_of_order(
    telegram: FakeTelegram, bot: Bot, do: Do[Any], chat: Chat, alice: User
) -> None:
    updates = do(bot.get_updates())
    telegram.updates.hold()
    for number in range(5):
        telegram.say(alice, chat, str(number))
    after = updates[-1].update_id + 1
    assert do(bot.get_updates(offset=after)) == ()
    telegram.updates.release(shuffle=1)
    shuffled = do(bot.get_updates(offset=after))
    assert sorted(texts(shuffled)) == list("01234") != texts(shuffled)
    assert sorted(u.update_id for u in shuffled) == [u.update_id for u in shuffled]
    telegram.updates.repeat(telegram.updates.every[1])
    again = do(bot.get_updates(offset=shuffled[-1].update_id + 1))
    assert [update.update_id for update in again] == [shuffled[0].update_id]


def test_one_that_comes_late_or_never(telegram: FakeTelegram, bot: Bot, do: Do[Any], chat: Chat, alice: User) -> None:
    late = telegram.say(alice, chat, "late", late=True)
    telegram.say(alice, chat, "never", silent=True)
    telegram.say(alice, chat, "now")
    late.arrive()
    late.arrive()
    assert texts(do(bot.get_updates())) == ["/start", "now", "late"]
    assert [seen.text for seen in telegram.seen(chat)] == ["/start", "late", "never", "now"]


def test_one_that_cannot_be_read(telegram: FakeTelegram, bot: Bot, do: Do[Any], chat: Chat, alice: User) -> None:
    telegram.updates.push_raw("message", {"message_id": 1, "date": "yesterday", "chat": 7}, chat.id)
    telegram.say(alice, chat, "after it")
    with pytest.raises(TypeError):
        do(bot.get_updates())
    assert [update.kind for update in telegram.updates.waiting] == ["message"] * 3


def test_updates_are_kept_for_a_day(telegram: FakeTelegram, bot: Bot, do: Do[Any], chat: Chat) -> None:
    telegram.advance(24 * 3_600 + 1)
    assert do(bot.get_updates()) == ()


@asynccontextmanager
async def hook(telegram: FakeTelegram, statuses: list[int]) -> AsyncIterator[list[tuple[int, str]]]:
    """An app behind https://bot.example.org that answers with `statuses`, then with 200. Gives what it was sent."""
    got: list[tuple[int, str]] = []

    async def take(asked: web.Request) -> web.Response:
        body = await asked.json()
        got.append((body["update_id"], asked.headers.get("X-Telegram-Bot-Api-Secret-Token", "")))
        return web.Response(status=statuses.pop(0) if statuses else 200)

    app = web.Application()
    app.add_routes([web.post("/hook", take)])
    runner, port = await serve(app)
    telegram.webhook.reach[PUBLIC] = f"http://127.0.0.1:{port}"
    try:
        yield got
    finally:
        await runner.cleanup()


def test_webhooks(telegram: FakeTelegram, bot: Bot, do: Do[Any], chat: Chat, alice: User) -> None:
    async def deliver() -> None:
        telegram.webhook.pause = 0.01
        async with hook(telegram, [500, 403]) as got:
            telegram.say(alice, chat, "hello")
            await bot.set_webhook(f"{PUBLIC}/hook", secret_token="s3cret_-")
            await telegram.until(lambda: not telegram.updates.waiting)
            first, second = (update.id for update in telegram.updates.every)
            assert got == [(first, "s3cret_-")] * 3 + [(second, "s3cret_-")]
            assert [attempt.status for attempt in telegram.webhook.attempts] == [500, 403, 200, 200]
            info = await bot.get_webhook_info()
            assert info.last_error_message == "Wrong response from the webhook: 403 Forbidden"
            telegram.updates.repeat(telegram.updates.every[0])
            await telegram.until(lambda: not telegram.updates.waiting)
            assert got[-1] == (first, "s3cret_-")
        telegram.go_down()
        telegram.say(alice, chat, "anybody there?")
        assert len(telegram.webhook.attempts) == 5
        telegram.come_up()
        await telegram.until(lambda: telegram.webhook.attempts[-1].status == 0)
        assert (await bot.get_webhook_info()).pending_update_count == 1
        await bot.delete_webhook(drop_pending_updates=True)
        assert await bot.get_updates() == ()

    do(deliver())


def test_chats_are_delivered_side_by_side(telegram: FakeTelegram, bot: Bot, do: Do[Any], chat: Chat) -> None:
    people = [telegram.user(f"user{number}") for number in range(4)]

    async def deliver() -> None:
        release = asyncio.Event()
        taken: asyncio.Queue[int] = asyncio.Queue()

        async def take(asked: web.Request) -> web.Response:
            taken.put_nowait((await asked.json())["message"]["chat"]["id"])
            await release.wait()
            return web.Response()

        app = web.Application()
        app.add_routes([web.post("/hook", take)])
        runner, port = await serve(app)
        telegram.webhook.reach[PUBLIC] = f"http://127.0.0.1:{port}"
        await bot.set_webhook(f"{PUBLIC}/hook", drop_pending_updates=True, max_connections=3)
        for user in people:
            telegram.say(user, telegram.private(user), "one")
            telegram.say(user, telegram.private(user), "two")
        first = [await taken.get() for _ in range(3)]
        assert sorted(first) == sorted(user.id for user in people[:3])
        assert taken.empty()
        release.set()
        await telegram.until(lambda: not telegram.updates.waiting)
        rest = [taken.get_nowait() for _ in range(5)]
        assert sorted(first + rest) == sorted([user.id for user in people] * 2)
        await runner.cleanup()

    do(deliver())


@pytest.mark.parametrize(
    ("url", "secret", "why"),
    [
        ("http://bot.example.org/hook", "", "An HTTPS URL must be provided"),
        ("https://bot.example.org:8080/hook", "", "only on ports 80, 88, 443 or 8443"),
        (f"{PUBLIC}/hook", "no spaces", "unallowed characters"),
        (f"{PUBLIC}/hook", "x" * 257, "secret token is too long"),
    ],
)
def test_bad_webhooks(telegram: FakeTelegram, bot: Bot, do: Do[Any], url: str, secret: str, why: str) -> None:
    with pytest.raises(BadRequest, match=f"(?i){why}"):
        do(bot.set_webhook(url, secret_token=secret or None))
    assert len(telegram.take_violations()) == 1


def application(telegram: FakeTelegram) -> Application[Any, Any, Any, Any, Any, Any]:
    """A bot of python-telegram-bot's that says everything again."""

    async def echo(update: Update, context: Any) -> None:
        assert update.message is not None
        assert update.message.text is not None
        await update.message.reply_text(update.message.text, do_quote=True)

    builder = ApplicationBuilder().token(telegram.bot_token)
    builder = builder.base_url(telegram.base_url).base_file_url(telegram.base_file_url)
    app = builder.request(request(connection_pool_size=8)).get_updates_request(request()).build()
    app.add_handler(MessageHandler(filters.TEXT & ~filters.COMMAND, echo))
    return app


def test_an_application_that_polls(telegram: FakeTelegram, do: Do[Any]) -> None:
    async def run() -> None:
        people = [telegram.user(f"user{number}") for number in range(5)]
        app = application(telegram)
        async with app:
            await app.start()
            assert app.updater is not None
            await app.updater.start_polling(poll_interval=0, bootstrap_retries=0)
            for user in people:
                telegram.say(user, telegram.private(user), f"I am {user.name}")
            chats = [telegram.private(user) for user in people]
            await telegram.until(lambda: all(telegram.answers(chat) for chat in chats))
            telegram.go_down()
            telegram.say(people[0], chats[0], "while you were away")
            telegram.come_up()
            await telegram.until(lambda: len(telegram.answers(chats[0])) == 2, 30)
            await app.updater.stop()
            await app.stop()
        assert telegram.doubled() == []
        assert [seen.text for seen in telegram.answers(chats[0])] == ["I am User0", "while you were away"]

    do(run())


def test_the_server_speaks_plain_http(telegram: FakeTelegram, browser: httpx.Client, chat: Chat) -> None:
    """JSON, a query and any case of the method's name are as good as a form."""
    url = f"{telegram.base_url}{telegram.bot_token}"
    said = browser.post(f"{url}/SENDMESSAGE", json={"chat_id": chat.id, "text": "<b>hi"}).json()
    assert said["result"]["text"] == "<b>hi"
    refused = browser.get(f"{url}/sendMessage", params={"chat_id": chat.id, "text": "<b>hi", "parse_mode": "HTML"})
    assert (refused.status_code, refused.json()["ok"], refused.json()["error_code"]) == (400, False, 400)
    assert refused.json()["description"].startswith("Bad Request: can't parse entities: Can't find end tag")
    nonsense = browser.post(f"{url}/setMessageReaction", json={"chat_id": chat.id, "message_id": 1, "reaction": [1]})
    assert nonsense.status_code == 500
    assert [violation[:44] for violation in telegram.take_violations()] == [
        "setMessageReaction: the fake itself failed: "
    ]
    assert browser.get(f"{telegram.base_url}1:x/getMe").json() == {
        "ok": False,
        "error_code": 401,
        "description": "Unauthorized",
    }
