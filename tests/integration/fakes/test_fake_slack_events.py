"""What the app is told: over HTTP with Bolt's own check of the signature, and what each event holds."""

import asyncio
import json

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier

from tests.fakes.slack import Delivery, FakeSlack, encode, signed_headers
from tests.integration.fakes.bolt import Event, bolt_over_http


def inner(delivery: Delivery) -> Event:
    """The event in its envelope."""
    event: Event = delivery.payload["event"]
    return event


def test_over_http_events_are_signed_and_come_again_with_a_number(slack: FakeSlack, loop: asyncio.Runner) -> None:
    tries = 0

    async def listener(event: Event) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise RuntimeError("the database is away")

    async def run() -> None:
        async with bolt_over_http(slack, listener):
            asked = await slack.verify_url()
            assert asked.answer == {"challenge": asked.payload["challenge"]}
            alice = slack.user("alice")
            (delivery,) = (await slack.say(alice, slack.im(alice), "hi")).deliveries
            assert [(attempt.number, attempt.status) for attempt in delivery.attempts] == [(0, 500), (1, 200)]
            again = await slack.redeliver(delivery, attempt=2)
            assert again.payload["event_id"] == delivery.payload["event_id"]

    loop.run(run())
    assert tries == 3


def test_a_wrong_signature_and_an_old_one_are_refused(slack: FakeSlack, loop: asyncio.Runner) -> None:
    heard: list[Event] = []

    async def listener(event: Event) -> None:
        heard.append(event)

    async def run() -> None:
        async with bolt_over_http(slack, listener):
            alice = slack.user("alice")
            slack.signing_secret, secret = "another", slack.signing_secret
            forged = await slack.say(alice, slack.im(alice), "forged")
            assert {attempt.status for attempt in forged.deliveries[0].attempts} == {401}
            slack.signing_secret = secret
            slack.advance(400)
            skewed = await slack.say(alice, slack.im(alice), "skewed")
            assert {attempt.status for attempt in skewed.deliveries[0].attempts} == {401}

    loop.run(run())
    assert heard == []


def test_the_signature_is_the_one_that_the_sdk_checks() -> None:
    body, _ = encode("slash_commands", {"text": "a b&c", "command": "/glimt"})
    headers = signed_headers("secret", body, 1_700_000_000)

    class Then:
        def now(self) -> float:
            return 1_700_000_000

    assert SignatureVerifier("secret", clock=Then()).is_valid_request(body, headers)  # type: ignore[arg-type]
    assert not SignatureVerifier("secret", clock=Then()).is_valid_request(body + b"x", headers)  # type: ignore[arg-type]


def test_copies_have_ids_of_their_own_and_can_come_in_any_order(slack: FakeSlack) -> None:
    slack.deliverer.acknowledge_within = 0
    alice = slack.user("alice")
    general = slack.channel("general", alice)
    said = slack.say(alice, general, f"hi {slack.workspace.bot_user.mention}", copies=4, shuffle=3)
    assert len({delivery.payload["event_id"] for delivery in said.deliveries}) == 8
    kinds = [inner(delivery)["type"] for delivery in said.deliveries]
    assert sorted(kinds) == ["app_mention"] * 4 + ["message"] * 4
    assert kinds != ["message", "app_mention"] * 4
    assert {inner(delivery)["ts"] for delivery in said.deliveries} == {said.ts}


def test_files_can_be_missing_from_either_event_and_are_in_the_history(slack: FakeSlack, client: WebClient) -> None:
    slack.deliverer.acknowledge_within = 0
    alice = slack.user("alice")
    general = slack.channel("general", alice)
    cat = slack.file("Cat.png", b"...", alice)
    said = slack.say(alice, general, slack.workspace.bot_user.mention, files=[cat], without_files=("app_mention",))
    message, mention = [inner(delivery) for delivery in said.deliveries]
    assert message["subtype"] == "file_share"
    assert message["files"][0]["id"] == cat.id
    assert "files" not in mention
    assert "subtype" not in mention
    found = client.conversations_replies(channel=general.id, ts=said.ts)["messages"][0]
    assert [file["name"] for file in found["files"]] == ["Cat.png"]


def test_a_file_of_slack_connect_is_a_stub_until_it_is_asked_for(slack: FakeSlack, client: WebClient) -> None:
    slack.deliverer.acknowledge_within = 0
    alice = slack.user("alice")
    shared = slack.channel("shared", alice, shared=True)
    file = slack.file("a.png", b"...", alice, access="check_file_info")
    said = slack.say(alice, shared, "look", files=[file])
    stub = inner(said.deliveries[0])["files"][0]
    assert stub["file_access"] == "check_file_info"
    assert "url_private" not in stub
    assert said.deliveries[0].payload["is_ext_shared_channel"]
    assert client.files_info(file=file.id)["file"]["url_private"] == file.url_private
    found = client.conversations_history(channel=shared.id)["messages"][0]["files"][0]
    assert found["url_private"] == file.url_private
    file.access = "access_denied"
    assert client.conversations_history(channel=shared.id)["messages"][0]["files"][0]["file_access"] == "access_denied"
    with pytest.raises(SlackApiError, match="not_visible"):
        client.files_info(file=file.id)


def test_threads_edits_and_deletions(slack: FakeSlack) -> None:
    slack.deliverer.acknowledge_within = 0
    alice = slack.user("alice")
    im = slack.im(alice)
    root = slack.say(alice, im, "what is it?")
    assert "thread_ts" not in inner(root.deliveries[0])
    assert inner(root.deliveries[0])["channel_type"] == "im"
    reply = slack.say(alice, im, "and that?", thread=root.ts)
    assert inner(reply.deliveries[0])["thread_ts"] == root.ts
    assert inner(reply.deliveries[0])["parent_user_id"] == alice.id
    edited = inner(slack.edit(reply.message, "and this?").deliveries[0])
    assert (edited["subtype"], edited["message"]["text"]) == ("message_changed", "and this?")
    assert edited["previous_message"]["text"] == "and that?"
    assert edited["message"]["ts"] == reply.ts != edited["ts"]
    buried = inner(slack.remove(root.message).deliveries[0])
    assert (buried["subtype"], buried["message"]["subtype"]) == ("message_changed", "tombstone")
    assert (buried["message"]["ts"], buried["message"]["user"]) == (root.ts, "USLACKBOT")
    assert buried["previous_message"]["user"] == alice.id
    deleted = inner(slack.remove(reply.message).deliveries[0])
    assert (deleted["subtype"], deleted["deleted_ts"]) == ("message_deleted", reply.ts)
    assert [seen.text for seen in slack.seen(im, root.ts)] == ["This message was deleted."]


def test_the_bot_hears_only_what_it_may(slack: FakeSlack) -> None:
    slack.deliverer.acknowledge_within = 0
    alice, bob = slack.user("alice"), slack.user("bob")
    assert slack.say(alice, slack.channel("elsewhere", alice, bot=False), "psst").deliveries == []
    assert [inner(d)["channel_type"] for d in slack.say(alice, slack.mpim(alice, bob), "hi").deliveries] == ["mpim"]
    slack.subscribed.discard("message.im")
    assert slack.say(alice, slack.im(alice), "hi").deliveries == []


def test_the_bot_is_told_of_its_own_words(slack: FakeSlack, loop: asyncio.Runner, client: WebClient) -> None:
    async def listener(event: Event) -> None:
        """Bolt itself passes over what its own bot says."""
        raise AssertionError(json.dumps(event))

    async def run() -> None:
        async with bolt_over_http(slack, listener):
            general = slack.channel("general")
            await asyncio.to_thread(client.chat_postMessage, channel=general.id, text="mine")
            (delivery,) = await slack.until(lambda: slack.deliveries)
            assert (await delivery).acknowledged
            assert inner(delivery)["bot_id"] == slack.workspace.bot_id

    loop.run(run())


def test_an_app_that_is_slow_or_gone_is_tried_three_times_more(slack: FakeSlack) -> None:
    alice = slack.user("alice")
    # Nothing listens on the port of discard.
    slack.request_url = "http://127.0.0.1:9/slack/events"
    (delivery,) = slack.say(alice, slack.im(alice), "hi").wait().deliveries
    assert [(attempt.number, attempt.ok) for attempt in delivery.attempts] == [(n, False) for n in range(4)]
