"""Streams and agent sessions, with the SDK's own chat_stream."""

from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web.chat_stream import ChatStream

from tests.fakes.slack import Channel, FakeSlack, User

FEEDBACK: list[dict[str, Any]] = [
    {
        "type": "context_actions",
        "elements": [
            {
                "type": "feedback_buttons",
                "action_id": "feedback",
                "positive_button": {"text": {"type": "plain_text", "text": "Good"}, "value": "good"},
                "negative_button": {"text": {"type": "plain_text", "text": "Bad"}, "value": "bad"},
            }
        ],
    }
]


@pytest.fixture
def alice(slack: FakeSlack) -> User:
    slack.deliverer.acknowledge_within = 0
    return slack.user("alice")


@pytest.fixture
def general(slack: FakeSlack, alice: User) -> Channel:
    return slack.channel("general", alice)


@pytest.fixture
def root(slack: FakeSlack, alice: User, general: Channel) -> str:
    return slack.say(alice, general, "what is it?").ts


def stream(slack: FakeSlack, client: WebClient, channel: Channel, thread: str, user: User) -> ChatStream:
    return client.chat_stream(
        channel=channel.id,
        thread_ts=thread,
        recipient_team_id=slack.workspace.id,
        recipient_user_id=user.id,
        buffer_size=1,
    )


def refused(call: Any, **arguments: Any) -> str:
    """The code that it is refused with."""
    with pytest.raises(SlackApiError) as caught:
        call(**arguments)
    return str(caught.value.response["error"])


def test_text_is_seen_as_it_comes(
    slack: FakeSlack, client: WebClient, alice: User, general: Channel, root: str
) -> None:
    answer = stream(slack, client, general, root, alice)
    answer.append(markdown_text="A cat")
    (seen,) = slack.seen(general, root)[1:]
    assert (seen.text, seen.streaming) == ("A cat", True)
    assert slack.status(general, root) == "processing"
    assert slack.answers(general, root) == []
    answer.append(markdown_text=" on a mat.")
    answer.stop(blocks=FEEDBACK)
    (seen,) = slack.answers(general, root)
    assert (seen.text, seen.buttons) == ("A cat on a mat.", ("Good", "Bad"))
    assert slack.status(general, root) == "active"
    assert slack.transcript(general) == "alice: what is it?\n    glimt: A cat on a mat. (Good) (Bad)"


def test_a_channel_needs_a_recipient_and_a_direct_message_none(
    slack: FakeSlack, client: WebClient, alice: User, general: Channel, root: str
) -> None:
    start = client.chat_startStream
    assert refused(start, channel=general.id, thread_ts=root) == "missing_recipient_team_id"
    team = slack.workspace.id
    assert refused(start, channel=general.id, thread_ts=root, recipient_team_id=team) == "missing_recipient_user_id"
    assert len(slack.take_violations()) == 2
    unknown = {"recipient_team_id": team, "recipient_user_id": "U0NOBODY"}
    assert refused(start, channel=general.id, thread_ts=root, **unknown) == "user_not_found"
    im = slack.im(alice)
    client.chat_startStream(channel=im.id, thread_ts=slack.say(alice, im, "hi").ts)
    assert refused(start, channel=im.id, thread_ts="1000000000.000001") == "thread_not_found"


def test_a_stream_ends_after_five_minutes_however_busy(
    slack: FakeSlack, client: WebClient, alice: User, general: Channel, root: str
) -> None:
    answer = stream(slack, client, general, root, alice)
    answer.append(markdown_text="A cat")
    slack.advance(200)
    answer.append(markdown_text=" on")
    assert answer.ts is not None
    assert refused(client.chat_update, channel=general.id, ts=answer.ts, text="x") == "streaming_state_conflict"
    slack.advance(101)
    assert refused(answer.append, markdown_text=" a mat") == "message_not_in_streaming_state"
    assert refused(answer.stop) == "message_not_in_streaming_state"
    client.chat_update(channel=general.id, ts=answer.ts, markdown_text="A cat on a mat.")
    (seen,) = slack.answers(general, root)
    assert seen.text == "A cat on a mat."


def test_after_its_end_nothing_is_added(
    slack: FakeSlack, client: WebClient, alice: User, general: Channel, root: str
) -> None:
    answer = stream(slack, client, general, root, alice)
    answer.append(markdown_text="A cat")
    answer.stop()
    place = {"channel": general.id, "ts": answer.ts}
    assert refused(client.chat_appendStream, markdown_text="x", **place) == "message_not_in_streaming_state"
    assert refused(client.chat_stopStream, **place) == "message_not_in_streaming_state"
    posted = client.chat_postMessage(channel=general.id, text="x")["ts"]
    assert refused(client.chat_stopStream, channel=general.id, ts=posted) == "message_not_in_streaming_state"
    assert refused(client.chat_stopStream, channel=general.id, ts=root) == "message_not_owned_by_app"
    assert refused(client.chat_stopStream, channel=general.id, ts="1.000001") == "message_not_found"


def test_what_one_call_may_hold(slack: FakeSlack, client: WebClient, alice: User, general: Channel, root: str) -> None:
    answer = stream(slack, client, general, root, alice)
    answer.append(markdown_text="a" * 12_000)
    assert refused(answer.append, markdown_text="a" * 12_001) == "msg_too_long"
    place = {"channel": general.id, "ts": answer.ts}
    assert refused(client.chat_appendStream, **place) == "markdown_text_or_chunks_required"
    assert refused(client.chat_appendStream, markdown_text="other way", **place) == "streaming_mode_mismatch"
    wrong = [{"type": "markdown_text", "text": "x", "colour": "red"}]
    assert refused(client.api_call, api_method="chat.appendStream", json=place | {"chunks": wrong}) == "invalid_chunks"
    many = [{"type": "divider"}] * 51
    assert refused(client.chat_stopStream, blocks=many, **place) == "invalid_blocks"
    assert len(slack.take_violations()) == 5
    assert len(slack.seen(general, root)[1].text) == 12_000


def test_sessions_have_a_status_a_title_and_a_stop_button(
    slack: FakeSlack, client: WebClient, alice: User, general: Channel, root: str
) -> None:
    place = {"channel_id": general.id, "thread_ts": root}
    with pytest.raises(LookupError):
        slack.stop(alice, general, root)
    answer = client.agents_sessions_setStatus(status="processing", title="A cat", **place)
    assert (answer["status"], answer["title"]) == ("processing", "A cat")
    assert client.agents_sessions_setStatus(status="active", title="A dog", **place)["title"] == "A cat"
    client.agents_sessions_rename(title="A dog", **place)
    assert refused(client.agents_sessions_setStatus, status="busy", **place) == "invalid_status"
    assert refused(client.agents_sessions_setStatus, status="active", channel_id=general.id) == "thread_ts_required"
    long = {"status": "active", "title": "x" * 201}
    assert refused(client.agents_sessions_setStatus, **long, **place) == "invalid_arguments"
    assert len(slack.take_violations()) == 3


@pytest.mark.parametrize("still_open", [True, False])
def test_the_users_stop_ends_the_stream(
    slack: FakeSlack, client: WebClient, alice: User, general: Channel, root: str, still_open: bool
) -> None:
    slack.stop_after_user = still_open
    answer = stream(slack, client, general, root, alice)
    answer.append(markdown_text="A cat on")
    event = slack.stop(alice, general, root).payload["event"]
    assert event["streaming_message_ts"] == [answer.ts]
    assert (event["channel"], event["thread_ts"], event["user"]) == (general.id, root, alice.id)
    assert refused(answer.append, markdown_text=" a mat") == "stopped_by_user"
    assert slack.status(general, root) == "processing"
    if still_open:
        client.chat_stopStream(channel=general.id, ts=str(answer.ts))
        assert slack.status(general, root) == "active"
    else:
        place = {"channel": general.id, "ts": answer.ts}
        assert refused(client.chat_stopStream, **place) == "message_not_in_streaming_state"
    assert [seen.text for seen in slack.answers(general, root)] == ["A cat on"]


def test_without_the_scope_there_are_no_sessions_but_there_is_a_status_line() -> None:
    with FakeSlack(scopes=("chat:write", "im:history")) as slack:
        slack.deliverer.acknowledge_within = 0
        client = WebClient(token=slack.bot_token, base_url=slack.api_url)
        alice = slack.user("alice")
        im = slack.im(alice)
        place = {"channel_id": im.id, "thread_ts": slack.say(alice, im, "hi").ts}
        assert refused(client.agents_sessions_setStatus, status="processing", **place) == "not_authorized"
        client.assistant_threads_setStatus(status="is looking", loading_messages=["a", "b"], **place)
        assert slack.status(im, place["thread_ts"]) == "is looking"
        slack.advance(121)
        assert slack.status(im, place["thread_ts"]) == ""
        many = {"status": "x", "loading_messages": ["x"] * 11}
        assert refused(client.assistant_threads_setStatus, **many, **place) == "invalid_arguments"
        assert len(slack.take_violations()) == 1
