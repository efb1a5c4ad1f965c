"""A bots process dies (-9) in the middle of Slack traffic, and the next one goes on."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.store.models import InboundEvent, Turn
from tests.fakes.slack import FakeSlack, Said
from tests.processes import PATIENCE_S, Installation, installation, until

# Slack's first repetition comes at once, the others when another process may be there.
PATIENCE = 0.02
QUESTIONS = 12


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as made:
        made.deliverer.patience = PATIENCE
        made.deliverer.acknowledge_within = 1.0
        yield made


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.load)])
def at(request: pytest.FixtureRequest, slack: FakeSlack, tmp_path: Path) -> Iterator[Installation]:
    """An installation whose bots processes serve the workspace."""
    sql_url = request.getfixturevalue("postgresql_url") if request.param == "postgresql" else ""
    with installation(tmp_path, sql_url=sql_url) as made:
        made.env |= {
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_APP_TOKEN": slack.app_token,
            "SLACK_API_URL": slack.api_url,
        }
        made.start_worker()
        yield made


@pytest.mark.faults
def test_every_question_around_a_kill_is_answered_once(at: Installation, slack: FakeSlack) -> None:
    people = [slack.user(f"person{n}") for n in range(4)]
    ims = [slack.im(person) for person in people]
    asked: list[Said] = []

    def ask(text: str, copies: int = 1) -> None:
        who = len(asked) % len(people)
        asked.append(slack.say(people[who], ims[who], f"{text} {len(asked)}", copies=copies))

    at.start_bots()
    slack.wait_for(lambda: slack.connected, PATIENCE_S)
    for _ in range(QUESTIONS):
        ask("[[tokens 20]] [[pace 20]]", copies=2)
    # Some are acknowledged, some answers are being written.
    slack.wait_for(lambda: slack.called("chat.startStream") or slack.called("chat.postMessage"), PATIENCE_S)
    for _ in range(QUESTIONS):
        ask("In the middle")
    bots = at.processes[-1]
    bots.send_signal(signal.SIGKILL)
    bots.wait()
    for _ in range(2):
        ask("Nobody is there")
    at.start_bots()
    slack.wait_for(lambda: slack.connected, PATIENCE_S)
    for _ in range(2):
        ask("Somebody is there")
    for one in asked:
        one.wait(PATIENCE_S)
    # What was not acknowledged after all its repetitions is Slack's last word: the person asks again.
    unheard = [one for one in asked if not any(delivery.acknowledged for delivery in one.deliveries)]
    for one in unheard:
        slack.redeliver(one.deliveries[0]).wait(PATIENCE_S)

    answers = until(lambda: _answers(slack, asked), "each is answered", PATIENCE_S)

    assert answers == [1] * len(asked)
    with at.store.read() as repositories:
        assert repositories.session.query(Turn).count() == len(asked)
        turns = {event.turn_id for event in repositories.session.query(InboundEvent)}
    assert len(turns) == len(asked)
    slack.check()


def _answers(slack: FakeSlack, asked: list[Said]) -> list[int]:
    """How many finished answers stand under each question; empty while one has none."""
    numbers = [len(slack.answers(slack.world.channels[one.message.channel], one.message.ts)) for one in asked]
    return numbers if all(numbers) else []
