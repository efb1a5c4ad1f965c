"""A day in a workspace: people ask in Slack, the real adapter, queue and demo model answer, processes die in between.

`make day-slack` prints the transcript; the last line counts. The workspace is tests/fakes/slack, which refuses what
Slack refuses and fails when one of its rules is broken.
"""

import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from bench.day import PATIENCE_S, SAMPLE, counted, heic, plain, ratings
from core.process import stop
from core.store.models import Delivery, Post
from tests.fakes.slack import Channel, FakeSlack, Seen, User
from tests.processes import Installation, installation, until

# Slack repeats at once, after a minute and after five; here the second and third time come sooner, but still after the
# next process is there.
RETRIES = 0.25


@dataclass
class Day:
    """What was asked so far: (channel, thread, question's ts)."""

    at: Installation
    slack: FakeSlack
    asked: list[tuple[Channel, str, str]] = field(default_factory=list)

    def ask(self, who: User, where: Channel, text: str, *, thread: str = "", **say: object) -> str:
        """Somebody asks; the ts of the message."""
        said = self.slack.say(who, where, text, thread=thread, **say)  # type: ignore[arg-type]
        self.asked.append((where, thread or said.ts, said.ts))
        return said.ts

    def answers_to(self, where: Channel, thread: str, ts: str) -> list[Seen]:
        """Our finished messages about one question."""
        posts = self._posts()
        return [s for s in self.slack.answers(where, thread) if posts.get(s.ts) == ts]

    def _posts(self) -> dict[str, str]:
        """Which question each message of ours answers, by the delivery's own record."""
        with self.at.store.read() as repositories:
            rows = repositories.session.query(Post.external_id, Delivery.target).join(
                Delivery, Delivery.id == Post.delivery_id
            )
            return {post: target.get("asked", "") for post, target in rows if post}

    def wait(self, where: Channel, ts: str, thread: str = "") -> None:
        """Until a question is answered."""
        until(lambda: self.answers_to(where, thread or ts, ts), f"{ts} is answered", PATIENCE_S)

    def counts(self) -> list[int]:
        """How many answers each question has."""
        return [len(self.answers_to(*one)) for one in self.asked]


def main() -> int:
    """Play it; 0: each question was answered exactly once."""
    with tempfile.TemporaryDirectory(prefix="glimt-day-") as folder, FakeSlack() as slack:
        tokens = {
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_APP_TOKEN": slack.app_token,
            "SLACK_API_URL": slack.api_url,
        }
        slack.deliverer.patience = RETRIES
        with installation(Path(folder), model="demo") as at:
            at.env.update(tokens)
            day = Day(at, slack)
            _play(day)
            slack.check()
            for channel in dict.fromkeys(channel.id for channel, _, _ in day.asked):
                shown = slack.world.channels[channel]
                print(f"--- {'#' + shown.name if shown.name else 'direct message'}")
                print(slack.transcript(shown))
            return counted(day.counts())


def _play(day: Day) -> None:
    at, slack = day.at, day.slack
    ann, bob = slack.user("ann"), slack.user("bob", locale="zh-CN")
    im, general = slack.im(ann), slack.channel("general", ann, bob)
    me, sample = slack.workspace.bot_user.mention, SAMPLE.read_bytes()
    worker = at.start_worker()
    at.start_bots()
    bots = at.processes[-1]
    slack.wait_for(lambda: slack.connected, PATIENCE_S)

    first = day.ask(ann, im, "What is in this picture?", files=[slack.file("sample.png", sample, ann)])
    day.wait(im, first)
    three = [slack.file(f"{c}.png", plain(c), ann) for c in ("red", "green", "blue")]
    root = day.ask(ann, general, f"{me} What is in these pictures?", files=three, copies=4, shuffle=3)
    day.wait(general, root)
    follow_up = day.ask(bob, general, "And which colour has the first picture?", thread=root)
    iphone = day.ask(ann, im, "What colour is this?", files=[slack.file("IMG_0001.HEIC", heic(), ann)])
    broken = slack.file("broken.png", sample[:200], ann)
    named = day.ask(ann, im, "And these?", files=[broken, slack.file("good.png", sample, ann)])
    for where, ts, thread in ((general, follow_up, root), (im, iphone, ""), (im, named, "")):
        day.wait(where, ts, thread)

    # Processes die while questions are on their way.
    before = [
        day.ask(ann, im, f"What is in picture {n}?", files=[slack.file(f"{n}.png", sample, ann)]) for n in range(4)
    ]
    slack.wait_for(lambda: slack.called("agents.sessions.setStatus"), PATIENCE_S)
    bots.kill()
    bots.wait()
    worker.kill()
    worker.wait()
    while_away = slack.say(bob, general, f"{me} Is anybody there?", silent=True)
    day.asked.append((general, while_away.ts, while_away.ts))
    at.start_worker()
    at.start_bots()
    slack.wait_for(lambda: slack.connected, PATIENCE_S)
    # Slack brings again what nobody acknowledged.
    mention = {
        "type": "app_mention",
        "channel": general.id,
        "user": bob.id,
        "ts": while_away.ts,
        "text": f"{me} Is anybody there?",
    }
    slack.deliver(mention, channel=general, first=1).wait(60)
    for ts in before:
        day.wait(im, ts)
    day.wait(general, while_away.ts)

    stopped = day.ask(ann, im, "Tell me everything about it.", files=[slack.file("all.png", sample, ann)])
    slack.say(ann, im, "!stop", thread=stopped)
    day.wait(im, stopped)
    answer = day.answers_to(im, first, first)[0]
    slack.press(ann, answer.message, "glimt_feedback", choice="positive").wait(60)
    until(lambda: ratings(at) == 1, "the thumb is kept", PATIENCE_S)
    stop(at.processes[-1], 20.0)


if __name__ == "__main__":
    sys.exit(main())
