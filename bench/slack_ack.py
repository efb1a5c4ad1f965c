"""How soon Slack is told that a message is safe: messages at a steady rate over Socket Mode, each committed first.

    python -m bench.slack_ack --rate 100 --seconds 60

A worker with the scripted engine answers, unless `--no-worker`: then the backlog grows, and the live views of all that
waits take their share of the machine. The fake Slack has the same machine.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from core.store.models import Turn
from tests.fakes.slack import FakeSlack, Said
from tests.processes import installation

PEOPLE = 200


def main() -> int:
    """0: everything was acknowledged at once, and became one question each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=100.0, help="messages a second")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--no-worker", action="store_true", help="nothing is answered")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="glimt-ack-") as folder, FakeSlack() as slack:
        limits = {"GLIMT_WAITING_TOTAL": "1000000", "GLIMT_WAITING_PER_PERSON": "100000"}
        with installation(Path(folder), **limits) as at:
            at.env |= {
                "SLACK_BOT_TOKEN": slack.bot_token,
                "SLACK_APP_TOKEN": slack.app_token,
                "SLACK_API_URL": slack.api_url,
            }
            if not chosen.no_worker:
                at.start_worker()
            at.start_bots()
            slack.wait_for(lambda: slack.connected, 60)
            said = _speak(slack, chosen.rate, chosen.seconds)
            for one in said:
                one.wait(120)
            attempts = [delivery.attempts for one in said for delivery in one.deliveries]
            first = sorted(tries[0].seconds for tries in attempts)
            with at.store.read() as repositories:
                turns = repositories.session.query(Turn).count()
            # Slack has sent these again by then, and takes no offence.
            slack.violations = [v for v in slack.violations if "acknowledged that is not waiting" not in v]
            late = sum(not tries[0].ok for tries in attempts)
            p50, p99 = first[len(first) // 2], first[int(len(first) * 0.99)]
            print(
                f"{len(said)} messages at {chosen.rate:g}/s: acknowledged after p50 {p50 * 1000:.1f} ms, "
                f"p99 {p99 * 1000:.1f} ms, at most {first[-1] * 1000:.1f} ms; {late} later than 3 s; "
                f"{turns} questions, {max(0, len(said) - turns)} lost, {max(0, turns - len(said))} doubled"
            )
            return 0 if turns == len(said) and not late else 1


def _speak(slack: FakeSlack, rate: float, seconds: float) -> list[Said]:
    places = [(user, slack.im(user)) for user in (slack.user(f"person{n}") for n in range(PEOPLE))]
    said: list[Said] = []
    start = time.monotonic()
    for number in range(int(rate * seconds)):
        time.sleep(max(0.0, start + number / rate - time.monotonic()))
        user, im = places[number % PEOPLE]
        said.append(slack.say(user, im, f"Question {number}?"))
    return said


if __name__ == "__main__":
    sys.exit(main())
