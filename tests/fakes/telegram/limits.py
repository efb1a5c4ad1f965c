"""Telegram's flood control (core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this): 30 messages a
second over all, one a second in a chat with short bursts, 20 a minute in a group. Edits count as messages do."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Literal

Rule = Literal["overall", "chat", "group", "early"]


@dataclass(frozen=True)
class Breach:
    """A call too many. `rule` early: it came while the chat's, or the bot's, retry_after had not passed."""

    at: float
    rule: Rule
    method: str
    chat: int
    retry_after: int


@dataclass
class Window:
    """At most `most` in any `seconds`, exactly."""

    most: int
    seconds: float
    times: deque[float] = field(default_factory=deque)

    def wait(self, now: float) -> float:
        """Seconds until one more may come; 0 when it may now."""
        # The machine's clock is good for microseconds only.
        while self.times and self.times[0] <= now - self.seconds + 1e-6:
            self.times.popleft()
        return 0.0 if len(self.times) < self.most else self.times[0] + self.seconds - now

    def add(self, now: float) -> None:
        """One came."""
        self.times.append(now)


@dataclass
class Bucket:
    """`burst` at once, then one a second."""

    burst: float
    left: float
    at: float

    def wait(self, now: float) -> float:
        """Seconds until one more may come; 0 when it may now."""
        self.left, self.at = min(self.burst, self.left + max(0.0, now - self.at)), now
        return 0.0 if self.left >= 1 - 1e-6 else 1 - self.left

    def take(self) -> None:
        """One came."""
        self.left -= 1


class Limits:
    """Counts every call that sends or edits, and writes down those that are too many.

    Attributes:
        enforced: they are answered with 429; else they pass, and are in `breaches` all the same.
        overall, a_minute: messages a second of the bot, and a minute in a group. Set them before the first call.
        burst: so many at once in a chat that was quiet; then one a second.
        drafts: whether sendMessageDraft counts. Telegram does not say.
    """

    def __init__(self) -> None:
        self.enforced = False
        self.overall, self.a_minute, self.burst, self.drafts = 30, 20, 3, False
        self.breaches: list[Breach] = []
        self.most_a_second = 0
        self._all: Window | None = None
        self._groups: dict[int, Window] = {}
        self._chats: dict[int, Bucket] = {}
        self._blocked: dict[Hashable, float] = defaultdict(float)

    def wait(self, method: str, chat: int, *, group: bool, now: float, count: int = 1) -> int:
        """Counts a call of `count` messages (an album has several).

        Returns: the retry_after of its refusal, 0 when it may pass.
        """
        if self._all is None:
            self._all = Window(self.overall, 1.0)
        window = self._groups.setdefault(chat, Window(self.a_minute, 60.0)) if group else None
        bucket = self._chats.setdefault(chat, Bucket(self.burst, self.burst, now))
        waits: list[tuple[float, Rule]] = [(self._all.wait(now), "overall"), (bucket.wait(now), "chat")]
        if window is not None:
            waits.append((window.wait(now), "group"))
        blocked = max(self._blocked["overall"], self._blocked[chat]) - now
        if self.enforced and blocked > 1e-6:
            waits.append((blocked, "early"))
        wait, rule = max(waits, key=lambda one: (one[0], one[1] == "early"))
        if wait > 0:
            retry_after = max(1, math.ceil(wait - 1e-6))
            self.breaches.append(Breach(now, rule, method, chat, retry_after))
            if self.enforced:
                key = "overall" if rule == "overall" else chat
                if rule != "early":
                    self._blocked[key] = now + retry_after
                return retry_after
        for _ in range(count):
            self._all.add(now)
            if window is not None:
                window.add(now)
        bucket.take()
        self.most_a_second = max(self.most_a_second, len(self._all.times))
        return 0
