"""What people press and type, as Bolt hears it, and where the answers go."""

import asyncio
from typing import Any

import pytest
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.respond.async_respond import AsyncRespond
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook import WebhookClient

from tests.fakes.slack import FakeSlack
from tests.integration.fakes.bolt import Event, bolt
from tests.integration.fakes.test_fake_slack_streams import FEEDBACK

Body = dict[str, Any]
STOP = {"type": "button", "action_id": "stop", "text": {"type": "plain_text", "text": "Stop"}, "value": "turn-7"}


async def nothing(event: Event) -> None:
    """Listens to events and does nothing."""


def test_buttons_feedback_and_a_dialog(slack: FakeSlack, loop: asyncio.Runner) -> None:
    pressed: list[Body] = []

    async def run() -> None:
        async with bolt(slack, nothing) as app:

            @app.action("stop")
            async def stop(ack: AsyncAck, body: Body, respond: AsyncRespond) -> None:
                await ack()
                pressed.append(body)
                await respond(text="Stopped.", replace_original=False, response_type="ephemeral")

            @app.action("feedback")
            async def feedback(ack: AsyncAck, body: Body, client: AsyncWebClient) -> None:
                await ack()
                pressed.append(body)
                asked = {"type": "plain_text_input", "action_id": "reason"}
                label = {"type": "plain_text", "text": "Why?"}
                block = {"type": "input", "block_id": "why", "label": label, "element": asked}
                view = {"type": "modal", "callback_id": "feedback", "title": label, "submit": label, "blocks": [block]}
                await client.views_open(trigger_id=body["trigger_id"], view=view)

            @app.view("feedback")
            async def reason(ack: AsyncAck, body: Body) -> None:
                pressed.append(body)
                await ack(response_action="errors", errors={"why": "More, please."})

            alice = slack.user("alice")
            general = slack.channel("general", alice)
            root = (await slack.say(alice, general, "hi")).ts
            client = AsyncWebClient(slack.bot_token, slack.api_url)
            blocks = [{"type": "actions", "block_id": "b", "elements": [STOP]}, *FEEDBACK]
            await client.chat_postMessage(channel=general.id, thread_ts=root, text="…", blocks=blocks)
            (answer,) = slack.answers(general, root)
            assert answer.buttons == ("Stop", "Good", "Bad")
            await slack.press(alice, answer.message, "stop")
            await slack.until(lambda: "Stopped." in [seen.text for seen in slack.seen(general, root, by=alice)])
            assert "Stopped." not in [seen.text for seen in slack.seen(general, root)]
            await slack.press(alice, answer.message, "feedback", choice="negative")
            view = await slack.until(lambda: slack.modal(alice))
            sent = await slack.submit(alice, view, {"why": {"reason": {"type": "plain_text_input", "value": "no"}}})
            assert sent.answer == {"response_action": "errors", "errors": {"why": "More, please."}}
            with pytest.raises(LookupError, match=r"no action retry; there are \['stop', 'feedback'\]"):
                slack.press(alice, answer.message, "retry")

    loop.run(run())
    stop, feedback, reason = pressed
    assert (stop["actions"][0]["value"], stop["container"]["thread_ts"]) == ("turn-7", stop["message"]["thread_ts"])
    assert feedback["actions"][0]["value"] == "bad"
    assert reason["view"]["state"]["values"]["why"]["reason"]["value"] == "no"


def test_shortcuts_and_commands(slack: FakeSlack, loop: asyncio.Runner) -> None:
    heard: list[Body] = []

    async def run() -> None:
        async with bolt(slack, nothing) as app:

            @app.shortcut("ask")
            async def ask(ack: AsyncAck, body: Body) -> None:
                await ack()
                heard.append(body)

            @app.command("/glimt")
            async def glimt(ack: AsyncAck, body: Body) -> None:
                await ack("Here is what I can do.")
                heard.append(body)

            alice = slack.user("alice")
            general = slack.channel("general", alice)
            said = await slack.say(alice, general, "look", files=[slack.file("a.png", b"...", alice)])
            assert (await slack.shortcut(alice, said.message, "ask")).acknowledged
            typed = await slack.command(alice, general, "help")
            assert typed.answer["text"] == "Here is what I can do."
            assert [seen.text for seen in slack.seen(general, by=alice)] == ["look", "Here is what I can do."]

    loop.run(run())
    shortcut, command = heard
    assert shortcut["message"]["files"][0]["name"] == "a.png"
    assert (command["command"], command["text"]) == ("/glimt", "help")
    assert "thread_ts" not in command


def test_the_home_tab_and_what_the_user_looks_at(slack: FakeSlack, loop: asyncio.Runner) -> None:
    heard: list[Event] = []

    async def listener(event: Event) -> None:
        heard.append(event)

    async def run() -> None:
        async with bolt(slack, listener, "app_home_opened", "app_context_changed") as app:

            @app.action("stop")
            async def stop(ack: AsyncAck, body: Body) -> None:
                await ack()
                heard.append(body)

            alice = slack.user("alice")
            await slack.open_home(alice)
            client = AsyncWebClient(slack.bot_token, slack.api_url)
            blocks = [{"type": "actions", "elements": [STOP]}]
            await client.views_publish(user_id=alice.id, view={"type": "home", "blocks": blocks})
            await slack.open_home(alice)
            await slack.press_home(alice, "stop")
            await slack.open_home(alice, "messages")
            await slack.look_at(alice, slack.channel("general", alice))
            await slack.look_at(alice, None)

    loop.run(run())
    assert [event.get("tab", event["type"]) for event in heard] == [
        "home",
        "home",
        "block_actions",
        "messages",
        "app_context_changed",
        "app_context_changed",
    ]
    assert "view" not in heard[0]
    assert heard[1]["view"]["type"] == "home"
    assert heard[4]["context"]["entities"][0]["type"] == "slack#/types/channel_id"
    assert heard[5]["context"] == {}


def test_removing_the_app_ends_its_tokens(slack: FakeSlack, client: WebClient) -> None:
    slack.deliverer.acknowledge_within = 0
    revoked, gone = slack.uninstall()
    assert revoked.payload["event"]["tokens"]["bot"] == [slack.workspace.bot_user.id]
    assert gone.payload["event"]["type"] == "app_uninstalled"
    with pytest.raises(SlackApiError, match="invalid_auth"):
        client.auth_test()


def test_a_response_url_is_good_for_five_answers_and_half_an_hour(slack: FakeSlack) -> None:
    alice = slack.user("alice")
    general = slack.channel("general", alice)
    hook = WebhookClient(slack.response_urls.new(general, alice), retry_handlers=[])
    statuses = [hook.send(text=str(number), response_type="in_channel").status_code for number in range(6)]
    assert statuses == [200] * 5 + [404]
    assert [seen.text for seen in slack.seen(general)] == ["0", "1", "2", "3", "4"]
    late = WebhookClient(slack.response_urls.new(general, alice), retry_handlers=[])
    slack.advance(1_801)
    assert late.send(text="late").status_code == 404
    said = slack.say(alice, general, "pressed in", silent=True).message
    change = WebhookClient(slack.response_urls.new(general, alice, said), retry_handlers=[])
    change.send(text="changed", replace_original=True)
    assert slack.seen(general)[-1].text == "changed"
    change.send(delete_original=True)
    assert len(slack.seen(general)) == 5
