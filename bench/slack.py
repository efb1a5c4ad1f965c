"""How soon Slack is told that a message is safe: messages at a steady rate over Socket Mode or HTTP, each committed
first, to a bots process and a worker of their own. The fake Slack has the same machine.

What is late is sent again, as Slack does: at once, then after 3 and 15 seconds instead of Slack's 1 and 5 minutes.
"""

import json
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

import psutil

from bots.slack.manifest import EVENTS_PATH
from core.store.models import InboundEvent, Turn
from core.values import TurnState
from tests.fakes.slack import FakeSlack, Said
from tests.processes import Installation, installation

PEOPLE = 200
# Nobody is refused: what is measured is how soon a message is safe.
LIMITS = {"GLIMT_WAITING_TOTAL": "1000000", "GLIMT_WAITING_PER_PERSON": "100000"}
PATIENCE = 0.05
END_S = 180.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """Times in milliseconds from a message to its first acknowledgement. `late`: not within Slack's three seconds.

    `bots_cpu_ms`: processor time of the bots process for each message, with all that it does about answers meanwhile.
    `answered`: by the time of the last acknowledgement.
    """

    mode: str
    messages: int
    rate: float
    p50_ms: float
    p99_ms: float
    most_ms: float
    late: int
    lost: int
    doubled: int
    answered: int
    bots_cpu_ms: float

    @property
    def good(self) -> bool:
        """Slack had nothing to repeat, and each message is one question."""
        return not (self.late or self.lost or self.doubled)

    def __str__(self) -> str:
        return (
            f"{self.messages} messages at {self.rate:g}/s ({self.mode}): acknowledged after p50 {self.p50_ms:.0f} ms, "
            f"p99 {self.p99_ms:.0f} ms, at most {self.most_ms:.0f} ms; {self.late} later than 3 s, {self.lost} lost, "
            f"{self.doubled} doubled; {self.answered} answered by then; "
            f"{self.bots_cpu_ms:.1f} ms of the bots' processor time a message"
        )


def measure(*, rate: float, seconds: float, mode: str, sql_url: str = "") -> Outcome:
    """Messages of many people to the bot, `rate` a second. `mode` is "socket" or "http"."""
    with tempfile.TemporaryDirectory(prefix="glimt-slack-") as folder, FakeSlack() as slack:
        slack.deliverer.patience = PATIENCE
        with installation(Path(folder), sql_url=sql_url, **LIMITS) as at:
            at.env |= {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_API_URL": slack.api_url}
            at.env |= (
                {"SLACK_APP_TOKEN": slack.app_token, "SLACK_SIGNING_SECRET": ""}
                if mode == "socket"
                else {"SLACK_APP_TOKEN": "", "SLACK_SIGNING_SECRET": slack.signing_secret}
            )
            at.start_worker()
            url = at.start_bots()
            if mode == "socket":
                slack.wait_for(lambda: slack.connected, 60)
            else:
                slack.request_url = url + EVENTS_PATH
            bots = psutil.Process(at.processes[-1].pid)
            before = _cpu_s(bots)
            said = _speak(slack, rate, seconds)
            for one in said:
                one.wait(END_S)
            spent = _cpu_s(bots) - before
            # Slack has sent these again by then, and takes no offence.
            slack.violations = [v for v in slack.violations if "acknowledged that is not waiting" not in v]
            return _outcome(at, said, mode=mode, rate=rate, cpu_s=spent)


def run(*, rate: float, seconds: float, mode: str, sql_url: str, as_json: bool, out: TextIO) -> None:
    """Measure and print.

    Raises:
        SystemExit: something was late, lost or doubled.
    """
    outcome = measure(rate=rate, seconds=seconds, mode=mode, sql_url=sql_url)
    print(json.dumps(asdict(outcome), indent=2) if as_json else outcome, file=out)
    if not outcome.good:
        raise SystemExit(1)


def _speak(slack: FakeSlack, rate: float, seconds: float) -> list[Said]:
    places = [(user, slack.im(user)) for user in (slack.user(f"person{n}") for n in range(PEOPLE))]
    said: list[Said] = []
    start = time.monotonic()
    for number in range(int(rate * seconds)):
        time.sleep(max(0.0, start + number / rate - time.monotonic()))
        user, im = places[number % PEOPLE]
        said.append(slack.say(user, im, f"Question {number}?"))
    return said


def _outcome(at: Installation, said: list[Said], *, mode: str, rate: float, cpu_s: float) -> Outcome:
    with at.store.read() as repositories:
        session = repositories.session
        keys = {
            key: turn_id
            for key, turn_id in session.query(InboundEvent.event_key, InboundEvent.turn_id)
            if turn_id is not None
        }
        turns = session.query(Turn).count()
        answered = session.query(Turn).filter(Turn.state.in_([TurnState.ANSWERED, TurnState.DELIVERED])).count()
    found = {keys.get(_key(one)) for one in said} - {None}
    attempts = [delivery.attempts for one in said for delivery in one.deliveries]
    first = sorted(tries[0].seconds * 1000 for tries in attempts)
    return Outcome(
        mode=mode,
        messages=len(said),
        rate=rate,
        p50_ms=round(first[len(first) // 2], 1),
        p99_ms=round(first[int(len(first) * 0.99)], 1),
        most_ms=round(first[-1], 1),
        late=sum(not tries[0].ok for tries in attempts),
        lost=len(said) - len(found),
        doubled=turns - len(found),
        answered=answered,
        bots_cpu_ms=round(cpu_s / len(said) * 1000, 2),
    )


def _key(one: Said) -> str:
    """What our rows call the message (`bots.slack.target`)."""
    team = one.deliveries[0].payload["team_id"]
    return f"{team}:{one.message.channel}:{one.message.ts}"


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system
