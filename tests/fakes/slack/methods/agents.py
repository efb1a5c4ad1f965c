"""agents.sessions.* and assistant.threads.*: what a thread shows while the bot works."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fakes.slack.methods.content import check_look
from tests.fakes.slack.methods.registry import method
from tests.fakes.slack.methods.streams import STATUSES
from tests.fakes.slack.refusal import Refusal
from tests.fakes.slack.state import Channel, Json
from tests.fakes.slack.world import Caller, Session

if TYPE_CHECKING:
    from tests.fakes.slack.fake import FakeSlack

_STATUS_SECONDS = 120


def _agent(caller: Caller) -> None:
    """Only an app that is declared as an agent, and has the scope that comes with it, has sessions."""
    if not caller.workspace.agent or "assistant:write" not in caller.grant.scopes:
        raise Refusal("not_authorized")


def _place(fake: FakeSlack, caller: Caller, arguments: Json, code: str) -> Channel:
    channel = fake.world.channel(arguments.get("channel_id", ""), caller)
    thread = arguments.get("thread_ts")
    if thread and not fake.world.thread(channel, thread):
        raise Refusal(code)
    return channel


@method("agents.sessions.setStatus")
def set_session(fake: FakeSlack, caller: Caller, arguments: Json) -> Json:
    """Makes the session when there is none. `title` counts only then."""
    _agent(caller)
    check_look(arguments, caller)
    channel = _place(fake, caller, arguments, "thread_not_found")
    if caller.bot not in channel.members:
        raise Refusal("not_authorized")
    if arguments["status"] not in STATUSES:
        raise Refusal("invalid_status", fault=f"status {arguments['status']}")
    if not arguments.get("thread_ts"):
        raise Refusal("thread_ts_required", fault="no thread_ts")
    if len(arguments.get("title", "")) > 200:
        raise Refusal("invalid_arguments", fault="a title of more than 200 characters")
    if (user := arguments.get("initiator_user_id")) and user not in fake.world.users:
        raise Refusal("user_not_found")
    key = (channel.id, arguments["thread_ts"])
    session = fake.world.sessions.setdefault(key, Session("", arguments.get("title", "")))
    session.status = arguments["status"]
    answer: Json = {"status": session.status, "agent_status": session.status, "title": session.title}
    if "agent_session_stopped" not in fake.subscribed:
        answer["warning"] = "missing_agent_session_stopped_event_subscription"
    return answer


@method("agents.sessions.rename")
def rename_session(fake: FakeSlack, caller: Caller, arguments: Json) -> Json:
    """Another title."""
    _agent(caller)
    channel = _place(fake, caller, arguments, "session_not_found")
    if not arguments.get("thread_ts"):
        raise Refusal("thread_ts_required", fault="no thread_ts")
    session = fake.world.sessions.get((channel.id, arguments["thread_ts"]))
    if session is None:
        raise Refusal("session_not_found")
    if len(arguments["title"]) > 200:
        raise Refusal("invalid_arguments", fault="a title of more than 200 characters")
    session.title = arguments["title"]
    return {"title": session.title}


@method("assistant.threads.setStatus")
def set_status(fake: FakeSlack, caller: Caller, arguments: Json) -> Json:
    """A line of the bot's own words beneath the thread, for two minutes or until it posts. "" takes it away."""
    check_look(arguments, caller)
    channel = _place(fake, caller, arguments, "invalid_thread_ts")
    if len(arguments.get("loading_messages", [])) > 10:
        raise Refusal("invalid_arguments", fault="more than 10 loading_messages")
    key = (channel.id, arguments["thread_ts"])
    if arguments["status"]:
        until = fake.world.clock.now() + _STATUS_SECONDS
        loading = arguments.get("loading_messages", [])
        fake.world.statuses[key] = {"status": arguments["status"], "loading_messages": loading, "until": until}
    else:
        fake.world.statuses.pop(key, None)
    return {}


@method("assistant.threads.setTitle")
def set_title(fake: FakeSlack, caller: Caller, arguments: Json) -> Json:
    """Accepted and kept nowhere: nothing of ours shows it."""
    _place(fake, caller, arguments, "invalid_thread_ts")
    return {}


@method("assistant.threads.setSuggestedPrompts")
def set_prompts(fake: FakeSlack, caller: Caller, arguments: Json) -> Json:
    """At most four of them."""
    if not caller.workspace.agent:
        raise Refusal("not_agent_app")
    channel = _place(fake, caller, arguments, "invalid_thread_ts")
    prompts = arguments["prompts"]
    if not 0 < len(prompts) <= 4 or not all(set(prompt) == {"title", "message"} for prompt in prompts):
        raise Refusal("invalid_arguments", fault="1 to 4 prompts of title and message")
    fake.world.prompts[channel.id, arguments.get("thread_ts", "")] = prompts
    return {}
