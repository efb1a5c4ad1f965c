"""The limits of text, blocks and views: what is just within passes, one more is refused."""

from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from tests.fakes.slack import Channel, FakeSlack

Block = dict[str, Any]


def plain(length: int) -> Block:
    return {"type": "plain_text", "text": "x" * length}


def section(length: int) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": "x" * length}}


def button(text: int = 1, value: int = 1, **more: Any) -> Block:
    return {"type": "button", "text": plain(text), "value": "v" * value, **more}


def actions(*elements: Block) -> list[Block]:
    return [{"type": "actions", "elements": list(elements)}]


def feedback(value: int = 1) -> Block:
    choice = {"text": plain(4), "value": "v" * value}
    return {"type": "feedback_buttons", "action_id": f"f{value}", "positive_button": choice, "negative_button": choice}


def trash(number: int = 0) -> Block:
    return {"type": "icon_button", "action_id": f"t{number}", "icon": "trash", "text": plain(6)}


def context_actions(*elements: Block) -> list[Block]:
    return [{"type": "context_actions", "elements": list(elements)}]


def select(options: int) -> Block:
    choices = [{"text": plain(1), "value": str(number)} for number in range(options)]
    return {"type": "static_select", "action_id": "s", "options": choices}


# What is just allowed, what is just not, and the code.
LIMITS: dict[str, tuple[list[Block], list[Block], str]] = {
    "blocks": ([{"type": "divider"}] * 50, [{"type": "divider"}] * 51, "invalid_blocks"),
    "section": ([section(3_000)], [section(3_001)], "invalid_blocks"),
    "empty text": ([section(1)], [section(0)], "invalid_blocks"),
    "fields": (
        [{"type": "section", "fields": [plain(2_000)] * 6}],
        [{"type": "section", "fields": [plain(2_001)]}],
        "invalid_blocks",
    ),
    "markdown": (
        [{"type": "markdown", "text": "x" * 12_000}],
        [{"type": "markdown", "text": "x" * 12_001}],
        "invalid_blocks",
    ),
    "markdown of all blocks": (
        [{"type": "markdown", "text": "x" * 6_000}] * 2,
        [{"type": "markdown", "text": "x" * 6_001}] * 2,
        "msg_blocks_too_long",
    ),
    "text of all blocks": ([section(2_640)] * 5, [section(2_641)] * 5, "msg_blocks_too_long"),
    "header": ([{"type": "header", "text": plain(150)}], [{"type": "header", "text": plain(151)}], "invalid_blocks"),
    "context": (
        [{"type": "context", "elements": [plain(1)] * 10}],
        [{"type": "context", "elements": [plain(1)] * 11}],
        "invalid_blocks",
    ),
    "buttons": (actions(*[button()] * 25), actions(*[button()] * 26), "invalid_blocks"),
    "button text": (actions(button(text=75)), actions(button(text=76)), "invalid_blocks"),
    "button value": (actions(button(value=2_000)), actions(button(value=2_001)), "invalid_blocks"),
    "button style": (actions(button(style="danger")), actions(button(style="loud")), "invalid_blocks"),
    "action ids": (
        actions(button(action_id="a"), button(action_id="b")),
        actions(button(action_id="a"), button(action_id="a")),
        "invalid_blocks",
    ),
    "block ids": (
        [{"type": "divider", "block_id": "a"}, {"type": "divider", "block_id": "b"}],
        [{"type": "divider", "block_id": "a"}, {"type": "divider", "block_id": "a"}],
        "invalid_blocks",
    ),
    "context actions": (
        context_actions(*map(trash, range(5))),
        context_actions(*map(trash, range(6))),
        "invalid_blocks",
    ),
    "feedback value": (context_actions(feedback(2_000)), context_actions(feedback(2_001)), "invalid_blocks"),
    "feedback among buttons": (context_actions(feedback()), actions(feedback()), "invalid_blocks"),
    "options": (actions(select(100)), actions(select(101)), "invalid_blocks"),
    "image": (
        [{"type": "image", "image_url": "https://example.com/a.png", "alt_text": "a"}],
        [{"type": "image", "image_url": "http://127.0.0.1/a.png", "alt_text": "a"}],
        "invalid_blocks",
    ),
    "slack file": (
        [{"type": "image", "image_url": "https://example.com/a.png", "alt_text": "a"}],
        [{"type": "image", "slack_file": {"id": "F0NOTHING"}, "alt_text": "a"}],
        "invalid_blocks",
    ),
    "unknown field": ([section(1)], [section(1) | {"colour": "red"}], "invalid_blocks"),
    "unknown block": ([{"type": "divider"}], [{"type": "carousel"}], "invalid_blocks"),
    "inputs in messages": (
        [{"type": "divider"}],
        [{"type": "input", "label": plain(1), "element": {"type": "plain_text_input", "action_id": "a"}}],
        "invalid_blocks",
    ),
}


@pytest.fixture
def general(slack: FakeSlack) -> Channel:
    return slack.channel("general")


@pytest.mark.parametrize("name", LIMITS)
def test_blocks(slack: FakeSlack, client: WebClient, general: Channel, name: str) -> None:
    allowed, beyond, code = LIMITS[name]
    client.chat_postMessage(channel=general.id, text="x", blocks=allowed)
    with pytest.raises(SlackApiError) as caught:
        client.chat_postMessage(channel=general.id, text="x", blocks=beyond)
    assert caught.value.response["error"] == code
    assert len(slack.take_violations()) == 1
    assert len(slack.seen(general)) == 1


def test_a_refusal_names_the_place(slack: FakeSlack, client: WebClient, general: Channel) -> None:
    with pytest.raises(SlackApiError) as caught:
        client.chat_postMessage(channel=general.id, text="x", blocks=[section(1), *actions(button(value=2_001))])
    (message,) = caught.value.response["response_metadata"]["messages"]
    assert "[json-pointer:/blocks/1/elements/0/value]" in message
    assert "at /blocks/1/elements/0/value" in slack.take_violations()[0]


@pytest.mark.parametrize(("argument", "most"), [("text", 4_000), ("markdown_text", 12_000)])
def test_text(slack: FakeSlack, client: WebClient, general: Channel, argument: str, most: int) -> None:
    post = {"channel": general.id, argument: "x" * most}
    ts = client.api_call("chat.postMessage", json=post)["ts"]
    longer = post | {argument: "x" * (most + 1)}
    with pytest.raises(SlackApiError, match="msg_too_long"):
        client.api_call("chat.postMessage", json=longer)
    with pytest.raises(SlackApiError, match="msg_too_long"):
        client.api_call("chat.update", json=longer | {"ts": ts})
    assert len(slack.take_violations()) == 2


def test_metadata(slack: FakeSlack, client: WebClient, general: Channel) -> None:
    kept = {"event_type": "answer", "event_payload": {"turn": "7"}}
    ts = client.chat_postMessage(channel=general.id, text="x", metadata=kept)["ts"]
    found = client.conversations_history(channel=general.id, include_all_metadata=True)["messages"][0]
    assert (found["ts"], found["metadata"]) == (ts, kept)
    assert "metadata" not in client.conversations_history(channel=general.id)["messages"][0]
    with pytest.raises(SlackApiError, match="invalid_metadata_format"):
        client.chat_postMessage(channel=general.id, text="x", metadata={"turn": "7"})
    slack.take_violations()


def test_views(slack: FakeSlack, client: WebClient) -> None:
    alice = slack.user("alice")
    home = {"type": "home", "blocks": [section(3_000)] * 10}
    first = client.views_publish(user_id=alice.id, view=home)["view"]
    client.views_publish(user_id=alice.id, view=home | {"blocks": [{"type": "divider"}] * 100}, hash=first["hash"])
    assert len(slack.world.homes[alice.id]["blocks"]) == 100
    for wrong in (
        home | {"blocks": [{"type": "divider"}] * 101},
        home | {"title": plain(1)},
        home | {"type": "modal"},
        home | {"blocks": [{"type": "markdown", "text": "x"}]},
        {"type": "home"},
    ):
        with pytest.raises(SlackApiError, match=r"invalid_(blocks|arguments)"):
            client.views_publish(user_id=alice.id, view=wrong)
    assert len(slack.take_violations()) == 5


def test_dialogs_open_once_and_soon(slack: FakeSlack, client: WebClient) -> None:
    alice = slack.user("alice")
    reason = {"type": "plain_text_input", "action_id": "reason", "multiline": True}
    asked = {"type": "input", "block_id": "why", "label": plain(4), "element": reason}
    dialog = {"type": "modal", "title": plain(24), "submit": plain(4), "blocks": [asked]}
    trigger = slack.new_trigger(alice)
    client.views_open(trigger_id=trigger, view=dialog)
    assert slack.modal(alice)["blocks"][0]["element"]["action_id"] == "reason"
    late = slack.new_trigger(alice)
    slack.advance(4)
    for wrong, code in ((trigger, "exchanged"), (late, "expired"), ("nonsense", "invalid")):
        with pytest.raises(SlackApiError, match=f"{code}_trigger_id"):
            client.views_open(trigger_id=wrong, view=dialog)
    no_submit = {name: part for name, part in dialog.items() if name != "submit"}
    for view in (dialog | {"title": plain(25)}, no_submit):
        with pytest.raises(SlackApiError, match="invalid_arguments"):
            client.views_open(trigger_id=slack.new_trigger(alice), view=view)
    assert len(slack.take_violations()) == 2
