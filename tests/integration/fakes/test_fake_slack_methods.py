"""Tokens, scopes, arguments and the rest of the methods, with the SDK's client."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler

from tests.fakes.slack import Channel, FakeSlack, User


@pytest.fixture
def alice(slack: FakeSlack) -> User:
    slack.deliverer.acknowledge_within = 0
    return slack.user("alice", locale="zh-CN")


@pytest.fixture
def general(slack: FakeSlack, alice: User) -> Channel:
    return slack.channel("general", alice)


def refused(call: Any, **arguments: Any) -> str:
    """The code that it is refused with."""
    with pytest.raises(SlackApiError) as caught:
        call(**arguments)
    return str(caught.value.response["error"])


def test_auth_test_says_who_and_what_is_allowed(slack: FakeSlack, client: WebClient) -> None:
    answer = client.auth_test()
    assert (answer["team_id"], answer["user_id"]) == (slack.workspace.id, slack.workspace.bot_user.id)
    assert "assistant:write" in answer.headers["x-oauth-scopes"].split(",")
    assert client.bots_info(bot=answer["bot_id"])["bot"]["user_id"] == answer["user_id"]
    assert refused(client.bots_info, bot="B0OTHER") == "bot_not_found"


def test_tokens_that_are_missing_wrong_revoked_or_of_another_kind(slack: FakeSlack, client: WebClient) -> None:
    assert refused(WebClient(base_url=slack.api_url).auth_test) == "not_authed"
    assert refused(WebClient("xoxb-wrong", slack.api_url).auth_test) == "invalid_auth"
    app = WebClient(slack.app_token, slack.api_url)
    assert refused(app.chat_postMessage, channel="C1", text="x") == "not_allowed_token_type"
    assert app.apps_connections_open(app_token=slack.app_token)["url"].startswith("ws://127.0.0.1")
    assert client.auth_revoke(test=True)["revoked"] is False
    assert client.auth_revoke()["revoked"] is True
    assert refused(client.auth_test) == "invalid_auth"


def test_a_missing_scope_is_named(slack: FakeSlack, general: Channel) -> None:
    team = slack.add_workspace("narrow", scopes=("chat:write", "channels:read"))
    client = WebClient(slack.token_of(team), slack.api_url)
    channel = slack.channel("narrow", workspace=team)
    with pytest.raises(SlackApiError) as caught:
        client.conversations_history(channel=channel.id)
    assert caught.value.response["error"] == "missing_scope"
    assert caught.value.response["needed"] == "channels:history"
    assert caught.value.response["provided"] == "chat:write,channels:read"
    assert refused(client.chat_postMessage, channel=channel.id, text="x", username="Bob") == "missing_scope"
    assert refused(client.chat_postMessage, channel=general.id, text="x") == "channel_not_found"


def test_unknown_arguments_and_methods_fail_the_test(slack: FakeSlack, client: WebClient, general: Channel) -> None:
    client.chat_postMessage(channel=general.id, text="x", colour="red")
    assert slack.take_violations() == ["chat.postMessage: unknown argument colour"]
    assert refused(client.api_call, api_method="chat.shout") == "unknown_method"
    assert refused(client.api_call, api_method="chat.postMessage", json={"text": "x"}) == "invalid_arguments"
    wrong = {"channel": general.id, "text": 5}
    assert refused(client.api_call, api_method="chat.postMessage", json=wrong) == "invalid_arguments"
    assert len(slack.take_violations()) == 3
    assert [call.method for call in slack.calls] == ["chat.postMessage", "chat.shout", *["chat.postMessage"] * 2]


def test_leaving_the_fake_with_a_violation_fails() -> None:
    def break_a_rule() -> None:
        with FakeSlack() as slack:
            bot = slack.workspace.bot_user.id
            WebClient(slack.bot_token, slack.api_url).users_info(user=bot, colour="red")

    with pytest.raises(AssertionError, match=r"users\.info: unknown argument colour"):
        break_a_rule()


def test_locale_comes_when_it_is_asked_for(client: WebClient, alice: User) -> None:
    assert client.users_info(user=alice.id, include_locale=True)["user"]["locale"] == "zh-CN"
    assert "locale" not in client.users_info(user=alice.id)["user"]


def test_messages_are_the_bots_own_to_change(
    slack: FakeSlack, client: WebClient, alice: User, general: Channel
) -> None:
    theirs = slack.say(alice, general, "mine").ts
    assert refused(client.chat_update, channel=general.id, ts=theirs, text="x") == "cant_update_message"
    assert refused(client.chat_delete, channel=general.id, ts=theirs) == "cant_delete_message"
    assert refused(client.chat_update, channel=general.id, ts="1.000001", text="x") == "message_not_found"
    assert refused(client.chat_postMessage, channel="C0NOWHERE", text="x") == "channel_not_found"
    outside = slack.channel("outside", alice, bot=False)
    assert refused(client.chat_postMessage, channel=outside.id, text="x") == "not_in_channel"
    general.archived = True
    assert refused(client.chat_postMessage, channel=general.id, text="x") == "is_archived"
    secret = slack.channel("secret", alice, private=True, bot=False)
    assert refused(client.conversations_info, channel=secret.id) == "channel_not_found"


def test_text_and_blocks_are_exchanged_as_slack_does(slack: FakeSlack, client: WebClient, general: Channel) -> None:
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "seen"}}]
    ts = client.chat_postMessage(channel=general.id, text="notified", blocks=blocks)["ts"]
    assert [seen.text for seen in slack.seen(general)] == ["seen"]
    client.chat_update(channel=general.id, ts=ts, text="text alone")
    assert [seen.text for seen in slack.seen(general)] == ["text alone"]
    assert refused(client.chat_update, channel=general.id, ts=ts) == "no_text"
    assert refused(client.chat_postMessage, channel=general.id, text="") == "no_text"
    both = {"channel": general.id, "text": "x", "markdown_text": "x"}
    assert refused(client.chat_postMessage, **both) == "markdown_text_conflict"
    assert len(slack.take_violations()) == 3


def test_a_reply_goes_to_the_threads_root(slack: FakeSlack, client: WebClient, alice: User, general: Channel) -> None:
    root = slack.say(alice, general, "root").ts
    reply = client.chat_postMessage(channel=general.id, text="reply", thread_ts=root)["ts"]
    client.chat_postMessage(channel=general.id, text="astray", thread_ts=reply)
    assert "is a reply's" in slack.take_violations()[0]
    assert client.conversations_replies(channel=general.id, ts=reply)["messages"][0]["text"] == "reply"
    assert len(client.conversations_replies(channel=general.id, ts=reply)["messages"]) == 1
    link = client.chat_getPermalink(channel=general.id, message_ts=reply)["permalink"]
    assert link.endswith(f"?thread_ts={root}&cid={general.id}")


def test_history_has_pages_and_bounds(slack: FakeSlack, client: WebClient, alice: User, general: Channel) -> None:
    said = [slack.say(alice, general, str(number)).ts for number in range(5)]
    slack.history_limit = 2
    first = client.conversations_history(channel=general.id, limit=100)
    assert [message["text"] for message in first["messages"]] == ["4", "3"]
    cursor = first["response_metadata"]["next_cursor"]
    second = client.conversations_history(channel=general.id, cursor=cursor)
    assert [message["text"] for message in second["messages"]] == ["2", "1"]
    one = client.conversations_history(channel=general.id, latest=said[2], oldest=said[2], inclusive=True, limit=1)
    assert [message["text"] for message in one["messages"]] == ["2"]
    assert refused(client.conversations_history, channel=general.id, cursor="x") == "invalid_cursor"


def test_conversations_with_people(slack: FakeSlack, client: WebClient, alice: User) -> None:
    opened = client.conversations_open(users=[alice.id])["channel"]["id"]
    assert opened == slack.im(alice).id
    client.chat_postMessage(channel=alice.id, text="hello")
    assert [seen.text for seen in slack.seen(slack.im(alice))] == ["hello"]
    assert client.conversations_info(channel=opened)["channel"]["is_im"]
    assert refused(client.conversations_open, users=["U0NOBODY"]) == "user_not_found"
    group = slack.mpim(alice, slack.user("bob"))
    with pytest.raises(SlackApiError) as caught:
        client.conversations_info(channel=group.id)
    assert caught.value.response["needed"] == "mpim:read"


def test_an_ephemeral_message_is_for_one(slack: FakeSlack, client: WebClient, alice: User, general: Channel) -> None:
    ts = client.chat_postEphemeral(channel=general.id, user=alice.id, text="psst")["message_ts"]
    assert slack.seen(general) == []
    assert [seen.text for seen in slack.seen(general, by=alice)] == ["psst"]
    assert refused(client.chat_update, channel=general.id, ts=ts, text="x") == "message_not_found"
    bob = slack.user("bob").id
    assert refused(client.chat_postEphemeral, channel=general.id, user=bob, text="x") == "user_not_in_channel"


def test_limits_of_time_and_lost_answers(slack: FakeSlack, general: Channel) -> None:
    client = WebClient(slack.bot_token, slack.api_url, retry_handlers=[])
    post: dict[str, Any] = {"channel": general.id, "text": "x"}
    slack.faults.limit("chat.postMessage", times=2, retry_after=7)
    with pytest.raises(SlackApiError) as caught:
        client.chat_postMessage(**post)
    assert (caught.value.response.status_code, caught.value.response.headers["Retry-After"]) == (429, "7")
    slack.faults.break_("chat.postMessage", status=503)
    assert refused(client.chat_postMessage, **post) == "ratelimited"
    with pytest.raises(SlackApiError, match="non-JSON"):
        client.chat_postMessage(**post)
    slack.faults.refuse("chat.postMessage", "restricted_action")
    assert refused(client.chat_postMessage, **post) == "restricted_action"
    assert slack.seen(general) == []
    slack.faults.lose_answer("chat.postMessage")
    with pytest.raises(OSError):
        client.chat_postMessage(**post)
    assert len(slack.seen(general)) == 1
    assert [call.error for call in slack.called("chat.postMessage")] == [
        "ratelimited",
        "ratelimited",
        "http_503",
        "restricted_action",
        "",
    ]


def test_the_sdks_own_client_posts_twice_when_an_answer_is_lost(slack: FakeSlack, general: Channel) -> None:
    client = WebClient(slack.bot_token, slack.api_url)
    slack.faults.lose_answer("chat.postMessage")
    client.chat_postMessage(channel=general.id, text="once?")
    assert [seen.text for seen in slack.seen(general)] == ["once?", "once?"]


def test_a_call_can_be_held(slack: FakeSlack, client: WebClient, general: Channel) -> None:
    gate = slack.faults.hold("chat.postMessage")
    with ThreadPoolExecutor(1) as pool:
        posting = pool.submit(client.chat_postMessage, channel=general.id, text="x")
        slack.wait_for(lambda: slack.called("chat.postMessage"))
        assert slack.seen(general) == []
        gate.open()
        assert posting.result(10)["ok"]
    assert len(slack.seen(general)) == 1


def test_the_messages_tab_can_be_off(slack: FakeSlack, client: WebClient, alice: User) -> None:
    slack.messages_tab = False
    assert refused(client.chat_postMessage, channel=slack.im(alice).id, text="x") == "messages_tab_disabled"


def test_the_sdk_waits_as_it_is_told(slack: FakeSlack, general: Channel) -> None:
    client = WebClient(slack.bot_token, slack.api_url, retry_handlers=[RateLimitErrorRetryHandler(max_retry_count=1)])
    slack.faults.limit("chat.postMessage", retry_after=0)
    client.chat_postMessage(channel=general.id, text="x")
    assert [call.error for call in slack.called("chat.postMessage")] == ["ratelimited", ""]


def test_slacks_own_limits_can_be_enforced(slack: FakeSlack, client: WebClient, general: Channel) -> None:
    slack.tiers.enforced = True
    for _ in range(60):
        client.chat_postMessage(channel=general.id, text="x")
    assert refused(client.chat_postMessage, channel=general.id, text="x") == "ratelimited"
    slack.advance(60)
    client.chat_postMessage(channel=general.id, text="x")


def test_reactions(slack: FakeSlack, client: WebClient, alice: User, general: Channel) -> None:
    said = slack.say(alice, general, "look")
    mark = {"channel": general.id, "timestamp": said.ts}
    client.reactions_add(name="eyes", **mark)
    assert slack.seen(general)[0].reactions == ("eyes",)
    assert refused(client.reactions_add, name="eyes", **mark) == "already_reacted"
    client.reactions_remove(name="eyes", **mark)
    assert refused(client.reactions_add, name="Not An Emoji", **mark) == "invalid_name"
    slack.take_violations()
