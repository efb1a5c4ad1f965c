"""Many chats that ask at once, and again as soon as they were answered, against a Telegram that enforces its flood
control: 30 calls a second over all, one a second in a chat, 20 a minute in a group, with edits and drafts among them.

Adapter, queue and worker are real processes; the engine is scripted. The limits are the ceiling: what counts is that
none is broken, that nothing is lost or doubled, and how long people wait.
"""

import json
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

from core.process import stop
from core.settings import Settings
from tests.fakes.telegram import Chat, FakeTelegram, Message, User
from tests.processes import installation

# Of so many chats one is a group.
GROUP_EVERY = 10
PATIENCE_S = 600.0
_LOOK_S = 0.1
_SENDING = ("send", "edit")


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured. `wait_*`: seconds from a question to its whole answer. `finals_share`: calls that showed a
    whole answer, of all that flood control counts. `most_in_a_second`: of such calls, as Telegram saw them."""

    chats: int
    groups: int
    seconds: float
    asked: int
    answered: int
    lost: int
    doubled: int
    limits_broken: int
    answers_per_second: float
    wait_p50_s: float
    wait_p99_s: float
    calls: int
    finals_share: float
    most_in_a_second: int

    @property
    def sound(self) -> bool:
        """Nothing was lost, nothing doubled, and no limit broken."""
        return self.answered == self.asked and not (self.lost or self.doubled or self.limits_broken)


@dataclass(slots=True)
class _Asker:
    """Somebody who asks in a chat, one question after the other."""

    telegram: FakeTelegram
    user: User
    chat: Chat
    number: int
    asked: list[str]
    waits: list[float]
    since: float = 0.0

    def ask(self) -> None:
        """The next question."""
        question = f"Question {self.number}-{len(self.asked)}?"
        words = f"{self.telegram.bot.mention} {question}" if self.chat.group else question
        self.asked.append(question)
        self.since = self.telegram.say(self.user, self.chat, words).message.versions[0].at

    def look(self) -> bool:
        """Whether its last question is answered now."""
        if len(self.waits) == len(self.asked):
            return False
        for message in reversed(self.chat.messages.values()):
            if message.sender is not self.telegram.bot:
                return False
            if _is_whole(message) and self.asked[-1] in message.text:
                self.waits.append(message.versions[-1].at - self.since)
                return True
        return False

    def answers(self) -> list[int]:
        """How often each of its questions was answered."""
        ours = [m for m in self.chat.messages.values() if m.sender is self.telegram.bot and m.deleted_at is None]
        return [sum(question in message.text and _is_whole(message) for message in ours) for question in self.asked]


def run(settings: Settings, *, chats: int, seconds: float, as_json: bool, out: TextIO) -> bool:
    """Measure, and print the figures. False: something was lost, doubled, or a limit broken."""
    with tempfile.TemporaryDirectory(prefix="glimt-load-") as folder, FakeTelegram() as telegram:
        telegram.know_rich()
        telegram.limits.enforced = telegram.limits.drafts = True
        chosen = {"GLIMT_WAITING_TOTAL": "1000000", "GLIMT_WAITING_PER_PERSON": "100", "GLIMT_WORKER_SLOTS": "16"}
        with installation(Path(folder), **chosen) as at:
            at.env |= {"TELEGRAM_BOT_TOKEN": telegram.bot_token, "TELEGRAM_API_URL": telegram.url}
            at.start_worker()
            at.start_bots()
            telegram.wait_for(lambda: telegram.called("getUpdates"), PATIENCE_S)
            askers = [_asker(telegram, number) for number in range(chats)]
            took = _play(telegram, askers, seconds)
            stop(at.processes[-1], 30.0)
        figures = _figures(telegram, askers, took)
    if as_json:
        print(json.dumps(asdict(figures), indent=2), file=out)
    else:
        for name, value in asdict(figures).items():
            print(f"{name.replace('_', ' '):20} {value:,}", file=out)
    return figures.sound


def _asker(telegram: FakeTelegram, number: int) -> _Asker:
    user = telegram.user(f"person{number}")
    if number % GROUP_EVERY == GROUP_EVERY - 1:
        return _Asker(telegram, user, telegram.group(f"group {number}", user), number, [], [])
    return _Asker(telegram, user, telegram.private(user), number, [], [])


def _play(telegram: FakeTelegram, askers: list[_Asker], seconds: float) -> float:
    """All ask at once, then each as soon as it was answered; afterwards whoever waits is waited for.

    Returns how long it took until the last answer, in seconds.
    """
    began = time.monotonic()
    for asker in askers:
        asker.ask()
    while True:
        time.sleep(_LOOK_S)
        passed = time.monotonic() - began
        with telegram.lock:
            answered = [asker for asker in askers if asker.look()]
            waiting = sum(len(asker.waits) < len(asker.asked) for asker in askers)
        if passed < seconds:
            for asker in answered:
                asker.ask()
        elif not waiting or passed > seconds + PATIENCE_S:
            return passed


def _figures(telegram: FakeTelegram, askers: list[_Asker], took: float) -> Figures:
    counts = [count for asker in askers for count in asker.answers()]
    waits = sorted(wait for asker in askers for wait in asker.waits)
    calls = sum(c.method.lower().startswith(_SENDING) and c.method.lower() != "sendchataction" for c in telegram.calls)
    answered = sum(count > 0 for count in counts)
    return Figures(
        chats=len(askers),
        groups=sum(asker.chat.group for asker in askers),
        seconds=round(took, 1),
        asked=len(counts),
        answered=answered,
        lost=counts.count(0),
        doubled=sum(count > 1 for count in counts),
        limits_broken=len(telegram.limits.breaches),
        answers_per_second=round(answered / took, 2),
        wait_p50_s=round(_part(waits, 0.5), 2),
        wait_p99_s=round(_part(waits, 0.99), 2),
        calls=calls,
        finals_share=round(answered / max(1, calls), 3),
        most_in_a_second=telegram.limits.most_a_second,
    )


def _part(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def _is_whole(message: Message) -> bool:
    """Whether it carries what stands below an answer that has ended."""
    return "👍" in message.labels
