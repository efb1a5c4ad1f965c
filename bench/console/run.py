"""How long an admin waits for a page, with few turns and with many, and what a page weighs.

A console process stands over each database, and each request goes to all of them before the next one, so that whatever
else the machine does disturbs all alike. What counts is the ratio between the sizes.
"""

import json
import os
import re
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, TextIO
from urllib.parse import urlsplit

import httpx

from admin.manage import create_admin, make_link
from bench.console.databases import KINDS, Filled, filled
from bench.console.questions import Question, questions
from core.admins import Role
from core.errors import ConfigurationError
from core.store.database import Store
from core.values import new_id
from tests.processes import installation

ROUNDS = 7
# The small database has so many turns, or a hundredth of the large one, but never less than this.
SMALL, LEAST = 10_000, 500
PATIENCE_S = 60.0
SLOWEST = 8
_FILES = re.compile(r'(?:href|src)="(/static/[^"]+)"')

# (page, name of the question) → seconds, for one database
Times = dict[tuple[str, str], list[float]]


class Desk(NamedTuple):
    """A console over one database, a browser of each admin, and what is asked there by its place in the list."""

    kind: str
    turns: int
    browsers: dict[str, httpx.Client]
    asked: list[Question]


def run(*, turns: int, rounds: int, keep: Path | None, as_json: bool, out: TextIO, few: bool = False) -> None:
    """Measure and print. `keep`: a folder where the databases stay, and are found again. `few`: two questions a page.

    Raises:
        ConfigurationError: a page did not come.
    """
    small = max(LEAST, min(SMALL, turns // 100))
    with tempfile.TemporaryDirectory(prefix="glimt-bench-") as temporary, ExitStack() as stack:
        folder = (keep or Path(temporary)).absolute()
        sizes = stack.enter_context(filled(folder, (small, turns), _say))
        desks = [stack.enter_context(_desk(Path(temporary), one, kind)) for kind in KINDS for one in sizes]
        if few:
            desks = [desk._replace(asked=_two_of_each(desk.asked)) for desk in desks]
        _say("The pages are being read …")
        result = _measure(desks, small, turns, rounds)
        result |= {"fill_s": {str(one.turns): round(one.seconds, 1) for one in sizes}, "rounds": rounds}
        result |= {"cores": os.cpu_count(), "load_at_end": round(os.getloadavg()[0], 2)}
    if as_json:
        out.write(json.dumps(result, indent=2) + "\n")
        return
    for kind in KINDS:
        for page, numbers in result["pages"][kind].items():
            out.write(f"{kind:<11} {page:<11} " + " ".join(f"{name} {value}" for name, value in numbers.items()) + "\n")
    out.write(f"page weight in bytes: {result['page_weight_bytes']}\n")


@contextmanager
def _desk(folder: Path, one: Filled, kind: str) -> Iterator[Desk]:
    with installation(folder / f"{kind}-{one.turns}", sql_url=one.urls[kind]) as at, ExitStack() as stack:
        url = at.start_console()
        owner, reader = f"owner-{new_id()}", f"reader-{new_id()}"
        create_admin(at.settings, owner, Role.OWNER, everywhere=True)
        with at.store.write() as repositories:
            admin = repositories.admins.add(reader, Role.REVIEWER, everywhere=False)
            small, quiet = one.asked.workspaces["small"], one.asked.places["quiet"]
            repositories.admins.grant(admin.id, workspaces=[small], places=[quiet])
        browsers = {}
        for who, name in (("owner", owner), ("reader", reader)):
            headers = {"sec-fetch-site": "same-origin", "accept": "text/html", "accept-encoding": "gzip"}
            browser = httpx.Client(base_url=url, headers=headers, timeout=PATIENCE_S)
            browsers[who] = stack.enter_context(browser)
            browser.post("/link", data={"secret": make_link(at.settings, name, url).rsplit("/", 1)[1]})
        store = Store(one.urls[kind])
        stack.callback(store.close)
        yield Desk(kind, one.turns, browsers, questions(store, one.asked))


def _measure(desks: list[Desk], small: int, turns: int, rounds: int) -> dict[str, Any]:
    times: dict[tuple[str, int], Times] = {(desk.kind, desk.turns): defaultdict(list) for desk in desks}
    # Those that there is nothing to ask in one of the sizes for are left out.
    known = set.intersection(*({(one.page, one.name) for one in desk.asked} for desk in desks))
    by_name = [{(one.page, one.name): one for one in desk.asked} for desk in desks]
    order, random = sorted(known), Random(1)
    for number in range(rounds + 1):
        random.shuffle(order)
        for name in order:
            for at in random.sample(range(len(desks)), len(desks)):
                desk, question = desks[at], by_name[at][name]
                seconds = _ask(desk.browsers[question.who], question)
                # The first round finds nothing in memory.
                if number:
                    times[desk.kind, desk.turns][name].append(seconds)
    pages = {kind: _pages(times[kind, small], times[kind, turns]) for kind in KINDS}
    return {
        "p95_ratio_1m_vs_10k": {kind: {page: one["p95_ratio"] for page, one in pages[kind].items()} for kind in KINDS},
        "page_weight_bytes": _weights(desks[-1]),
        "turns": {"small": small, "large": turns},
        "pages": pages,
        "slowest": {kind: _slowest(times[kind, small], times[kind, turns]) for kind in KINDS},
    }


def _two_of_each(asked: list[Question]) -> list[Question]:
    pages = dict.fromkeys(one.page for one in asked)
    return [one for page in pages for one in [q for q in asked if q.page == page][:2]]


def _ask(browser: httpx.Client, question: Question) -> float:
    began = time.perf_counter()
    answer = browser.get(question.path)
    seconds = time.perf_counter() - began
    if answer.status_code != 200:
        raise ConfigurationError(f"{question.path} was answered with {answer.status_code}.")
    return seconds


def _pages(small: Times, large: Times) -> dict[str, dict[str, float]]:
    """Of each page: all of its requests together."""
    result = {}
    for page in dict.fromkeys(page for page, _ in small):
        few = [s * 1000 for name, all_s in small.items() if name[0] == page for s in all_s]
        many = [s * 1000 for name, all_s in large.items() if name[0] == page for s in all_s]
        result[page] = {
            "p50_ms_small": round(statistics.median(few), 1),
            "p50_ms_large": round(statistics.median(many), 1),
            "p95_ms_small": round(_p95(few), 1),
            "p95_ms_large": round(_p95(many), 1),
            "p95_ratio": round(_p95(many) / _p95(few), 2),
            "requests": len(many),
        }
    return result


def _slowest(small: Times, large: Times) -> dict[str, list[float]]:
    """The requests that take longest with many turns: their medians with few and with many, in milliseconds."""
    medians = {name: statistics.median(seconds) * 1000 for name, seconds in large.items()}
    longest = sorted(medians, key=lambda name: medians[name], reverse=True)[:SLOWEST]
    return {
        f"{name[0]}: {name[1]}": [round(statistics.median(small[name]) * 1000, 1), round(medians[name], 1)]
        for name in longest
    }


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20, method="inclusive")[18] if len(values) > 1 else values[0]


def _weights(desk: Desk) -> dict[str, int]:
    """The heaviest of each page: itself and every file that it names, but no pictures, in bytes as they are sent."""
    files: dict[str, int] = {}
    weights: dict[str, int] = {}
    for question in desk.asked:
        browser = desk.browsers[question.who]
        page, weight = _fetched(browser, question.path)
        for path in set(_FILES.findall(page)):
            if path not in files:
                files[path] = _fetched(browser, urlsplit(path).path)[1]
            weight += files[path]
        weights[question.page] = max(weights.get(question.page, 0), weight)
    return weights


def _fetched(browser: httpx.Client, path: str) -> tuple[str, int]:
    with browser.stream("GET", path) as answer:
        answer.read()
        return answer.text, answer.num_bytes_downloaded


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
