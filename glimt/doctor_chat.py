"""The part of `glimt doctor` that asks chat platforms."""

import asyncio
import importlib.util
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from core.settings import Settings
from glimt.doctor_finding import Finding

if TYPE_CHECKING:
    from bots.chat.checks import Check


def examine_slack(settings: Settings) -> Iterator[Finding]:
    """All checks, each yielded as soon as it is done. None of them raises."""
    if not _is_here("slack_sdk"):
        yield _not_here("slack")
        return
    from bots.slack.doctor import SlackDoctor

    yield from _findings(SlackDoctor(settings).checks())


def examine_telegram(settings: Settings) -> Iterator[Finding]:
    """All checks, each yielded as soon as it is done. None of them raises."""
    if not _is_here("telegram"):
        yield _not_here("telegram")
        return
    from bots.telegram.doctor import TelegramDoctor

    yield from _findings(TelegramDoctor(settings).checks())


# Besides everything else, `glimt doctor` can be asked for one of these alone.
PARTS: Mapping[str, Callable[[Settings], Iterator[Finding]]] = {
    "slack": examine_slack,
    "telegram": examine_telegram,
}


def _is_here(sdk: str) -> bool:
    return all(importlib.util.find_spec(needed) is not None for needed in ("bots", sdk))


def _not_here(platform: str) -> Finding:
    return Finding(platform, True, f"not asked for here: this installation has no {platform.title()} adapter")


def _findings(checks: "AsyncIterator[Check]") -> Iterator[Finding]:
    with asyncio.Runner() as runner:
        while (check := runner.run(anext(checks, None))) is not None:
            yield Finding(check.what, check.good, check.says, check.worry)
