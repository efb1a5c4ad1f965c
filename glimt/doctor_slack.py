"""The part of `glimt doctor` that asks Slack."""

import asyncio
import importlib.util
from collections.abc import Iterator

from core.settings import Settings
from glimt.doctor_finding import Finding


def examine_slack(settings: Settings) -> Iterator[Finding]:
    """All checks, each yielded as soon as it is done. None of them raises."""
    if any(importlib.util.find_spec(needed) is None for needed in ("bots", "slack_sdk")):
        yield Finding("slack", True, "not asked for here: this installation has no Slack adapter")
        return
    from bots.slack.doctor import SlackDoctor

    with asyncio.Runner() as runner:
        checks = SlackDoctor(settings).checks()
        while (check := runner.run(anext(checks, None))) is not None:
            yield Finding(check.what, check.good, check.says, check.worry)
