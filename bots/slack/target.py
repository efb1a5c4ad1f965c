"""Where in Slack something is said, and how our rows name it.

A conversation is a thread: its external id is `CHANNEL:ROOT`. An inbound event's key is `TEAM:CHANNEL:TS`, which is the
same for everything that Slack sends about one message. Where to answer is a target, kept beside the delivery.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Thread:
    """A thread of a channel, by the `ts` of its root."""

    team: str
    channel: str
    root: str

    @property
    def name(self) -> str:
        """The external id of its conversation."""
        return f"{self.channel}:{self.root}"


@dataclass(frozen=True, slots=True)
class Target:
    """Where one question stands, and so where its answer goes. `user` asked it in the message `asked`.

    `user_team` is the workspace that the person is at home in, where that is another one: in shared channels.
    """

    team: str
    channel: str
    root: str
    asked: str
    user: str
    user_team: str = ""

    @property
    def thread(self) -> Thread:
        """The thread that the answer goes to."""
        return Thread(self.team, self.channel, self.root)

    def stored(self) -> dict[str, str]:
        """As rows keep it."""
        return asdict(self)

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Self:
        """From a row.

        Raises:
            KeyError: it is none of ours.
        """
        names = ("team", "channel", "root", "asked", "user")
        team, channel, root, asked, user = (str(stored[name]) for name in names)
        return cls(team, channel, root, asked, user, str(stored.get("user_team") or ""))


def message_key(team: str, channel: str, ts: str) -> str:
    """The key of an inbound event about this message."""
    return f"{team}:{channel}:{ts}"
