"""What Slack's message events say, as far as it concerns us."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bots.slack.target import Thread, message_key

# Everything else with a subtype is about a channel, not from a person: joins, topics, other bots …
_SPOKEN = (None, "file_share", "thread_broadcast")
# What Slackbot says (automatic replies, reminders) has a user's form; two that answer each other would never end.
_SLACKBOT = "USLACKBOT"
_TEAM = re.compile(r"T[A-Z0-9]+")
File = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """A message that a person wrote. `root` is the `ts` of the thread it is in; empty: it stands by itself."""

    team: str
    channel: str
    # im, mpim, channel or group; empty where Slack does not say.
    kind: str
    ts: str
    root: str
    user: str
    # With Slack's markup.
    text: str
    files: tuple[File, ...] = ()
    mention_event: bool = False
    # Slack says that there are files, without saying which.
    promises_files: bool = False
    other_keys: tuple[str, ...] = field(default=())
    # Where the person is at home, if that is not `team`.
    user_team: str = ""

    @property
    def thread(self) -> Thread:
        """The thread that it is in, or begins."""
        return Thread(self.team, self.channel, self.root or self.ts)

    @property
    def key(self) -> str:
        """Its key as an inbound event."""
        return message_key(self.team, self.channel, self.ts)

    @property
    def direct(self) -> bool:
        """Whether it was written to us alone."""
        return self.kind == "im" or (not self.kind and self.channel.startswith("D"))


def read_message(team: str, event: Mapping[str, Any], event_id: str = "") -> Message | None:
    """The message of a `message` or `app_mention` event; None: it is not one that a person wrote."""
    if event.get("subtype") not in _SPOKEN or event.get("bot_id") or event.get("hidden"):
        return None
    channel, ts, user = event.get("channel"), event.get("ts"), event.get("user")
    if not (isinstance(channel, str) and isinstance(ts, str) and isinstance(user, str)) or user == _SLACKBOT:
        return None
    root = event.get("thread_ts") or ""
    return Message(
        team=team,
        channel=channel,
        kind=event.get("channel_type") or "",
        ts=ts,
        root=root if root != ts else "",
        user=user,
        text=event.get("text") or "",
        files=files_of(event),
        promises_files=not event.get("files") and (event.get("subtype") == "file_share" or bool(event.get("upload"))),
        mention_event=event.get("type") == "app_mention",
        other_keys=(f"event:{event_id}",) if event_id else (),
        user_team=home_of(event, team),
    )


def home_of(event: Mapping[str, Any], team: str) -> str:
    """The other workspace that the person of an event is at home in; empty: none, or Slack names an organisation."""
    homes = (event.get(name) for name in ("user_team", "source_team", "team"))
    home = next((home for home in homes if isinstance(home, str) and _TEAM.fullmatch(home)), team)
    return home if home != team else ""


def files_of(message: Mapping[str, Any]) -> tuple[File, ...]:
    """The files of a message, without what Slack keeps in the place of deleted ones."""
    return tuple(
        file for file in message.get("files") or () if isinstance(file, Mapping) and file.get("mode") != "tombstone"
    )


@dataclass(frozen=True, slots=True)
class Edit:
    """A message was changed."""

    message: Message


@dataclass(frozen=True, slots=True)
class Deletion:
    """A message was deleted."""

    team: str
    channel: str
    ts: str


def read_change(team: str, event: Mapping[str, Any]) -> Edit | Deletion | None:
    """What a `message_changed` or `message_deleted` event tells; None: nothing that a person did to their words."""
    channel = event.get("channel")
    if not isinstance(channel, str):
        return None
    if event.get("subtype") == "message_deleted":
        ts = event.get("deleted_ts")
        return Deletion(team, channel, ts) if isinstance(ts, str) else None
    if event.get("subtype") != "message_changed":
        return None
    now, before = event.get("message") or {}, event.get("previous_message") or {}
    if now.get("subtype") == "tombstone":
        # A deleted message that had replies.
        return Deletion(team, channel, now["ts"]) if isinstance(now.get("ts"), str) else None
    if now.get("text") == before.get("text"):
        # Slack unfurled a link, or somebody replied.
        return None
    message = read_message(team, {**now, "channel": channel, "channel_type": event.get("channel_type")})
    return Edit(message) if message is not None else None
