"""What a process has learnt of its Bot API server."""

from collections import deque
from dataclasses import dataclass, field

# Posts that are remembered: those since a message of which nobody knows whether it got out are looked through.
_KNOWN = 500


@dataclass(slots=True)
class Server:
    """What was learnt of the Bot API server in this process.

    `rich`: it knows rich messages (Bot API 10.1), and is taken to know Stop buttons of drafts (10.3) then; None: not
    known yet. `moved`: groups that became supergroups. `last_id`: the latest message of ours in a private chat; all of
    them share one numbering. `known`: the latest posts of ours in private chats.
    """

    rich: bool | None = None
    moved: dict[int, int] = field(default_factory=dict)
    last_id: int = 0
    known: deque[str] = field(default_factory=lambda: deque(maxlen=_KNOWN))
