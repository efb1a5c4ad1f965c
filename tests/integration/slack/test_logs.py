"""What people write, and what answers them, is in no log at any level; nor is a token."""

import logging
from collections.abc import Iterator

import pytest

from core.settings import load_settings
from glimt.logs import QUIET, set_up_logs
from tests.fakes.slack import FakeSlack
from tests.integration.slack.office import adapter_over, ask_in
from tests.integration.web.site import picture
from tests.processes import Installation

SECRET = "canary-in-the-coal-mine"


class Kept(logging.Handler):
    """Every record, as it would be written."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.name} {record.getMessage()} {record.exc_info} {record.__dict__}")


@pytest.fixture
def kept() -> Iterator[Kept]:
    """All that is logged with the settings of an operator who wants to see everything."""
    root, names = logging.getLogger(), (*QUIET, "slack_bolt.glimt")
    before = root.handlers[:], root.level, {name: logging.getLogger(name).level for name in names}
    set_up_logs(load_settings(_env_file=None, log_level="DEBUG"))
    handler = Kept()
    root.addHandler(handler)
    yield handler
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    for name, level in before[2].items():
        logging.getLogger(name).setLevel(level)


def test_no_words_and_no_tokens(kept: Kept, fresh_at: Installation) -> None:
    with FakeSlack() as slack:
        ann = slack.user("ann")
        im = slack.im(ann)
        channel = slack.channel("logged", ann)
        with adapter_over(fresh_at, slack) as office:
            file = slack.file(f"{SECRET}.png", picture(), ann)
            ts = ask_in(office, ann, im, f"{SECRET}?", files=[file])
            office.take(f"{SECRET}?").say(f"{SECRET} {SECRET} {SECRET}").answer(f"{SECRET}!")
            office.answer_in(im, ts)
            slack.command(ann, channel, f"mode {SECRET}").wait()
            slack.wait_for(lambda: [s for s in slack.seen(channel, by=ann) if SECRET in s.text], 30)
            # What nobody listens to, Bolt complains about.
            odd = {"type": "block_suggestion", "team": {"id": slack.workspace.id}, "user": {"id": ann.id}}
            slack.deliverer.start("interactive", odd | {"value": SECRET, "action_id": "x"}, retries=0).wait()
            office.settled()
    said = [line for line in kept.lines if SECRET in line]
    assert not said, said[:3]
    for token in (slack.bot_token, slack.app_token, slack.signing_secret):
        assert not [line for line in kept.lines if token in line]
