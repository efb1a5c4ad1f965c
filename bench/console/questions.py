"""What is asked of the console: the addresses of its pages, by the page that they belong to."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from urllib.parse import urlencode

from bench.console.world import LONGEST, MODELS, Asked
from core.store.database import Store
from core.store.models import Conversation, Turn

# How far from the beginning of the list a deep page is.
DEEP = 500
UNKNOWN = "f" * 32


class Question(NamedTuple):
    """One request. `who`: `owner`, who may read everything, or `reader`, of one workspace and one channel."""

    page: str
    name: str
    path: str
    who: str = "owner"


def questions(store: Store, asked: Asked, now: datetime | None = None) -> list[Question]:
    """All of them, for a database that has these workspaces, places, people and words."""
    now = now or datetime.now(UTC)
    return [*_lists(store), *_filters(asked, now), *_searches(asked), *_transcripts(store, asked), *_audit(asked)]


def _page(page: str, name: str, given: Mapping[str, object], who: str = "owner") -> Question:
    return Question(page, name, "/?" + urlencode(given), who)


def _lists(store: Store) -> Iterator[Question]:
    yield _page("inbox", "first page", {})
    yield _page("inbox", "first page of a reader", {}, "reader")
    with store.read() as repositories:
        ordered = repositories.session.query(Conversation).order_by(Conversation.updated_at.desc())
        for depth in (DEEP, 2 * DEEP):
            if (last := ordered.offset(depth).first()) is not None:
                yield _page("inbox", f"behind {depth}", {"before": f"{last.updated_at.isoformat()}_{last.id}"})


def _filters(asked: Asked, now: datetime) -> Iterator[Question]:
    days = {n: f"{now - timedelta(days=n):%Y-%m-%d}" for n in (7, 200, 201, 300)}
    single: dict[str, dict[str, object]] = {
        "platform": {"platform": "slack"},
        "rare platform": {"platform": "api"},
        "workspace": {"workspace": asked.workspaces["big"]},
        "small workspace": {"workspace": asked.workspaces["small"]},
        "no workspace": {"workspace": UNKNOWN},
        "channel": {"place": asked.places["busy"]},
        "quiet channel": {"place": asked.places["quiet"]},
        "mode": {"mode": "support"},
        "rare mode": {"mode": "tutor"},
        "mode that no place has": {"mode": "shopping"},
        "usual mode": {"mode": "plain"},
        "person": {"person": asked.people["somebody"]},
        "busiest person": {"person": asked.people["busiest"]},
        "part of names": {"person": "Chen"},
        "Chinese name": {"person": "王芳"},
        "nobody": {"person": "Nobody Atall"},
        "model": {"model": MODELS[0]},
        "model of a year ago": {"model": MODELS[2]},
        "unknown model": {"model": "unknown"},
        "open": {"state": "open"},
        "answered": {"state": "answered"},
        "failed": {"state": "failed"},
        "stopped": {"state": "cancelled"},
        "handed over": {"state": "handed_over"},
        "good": {"feedback": "good"},
        "bad": {"feedback": "bad"},
        "pictures": {"pictures": 1},
        "slow": {"slow": 30},
        "very slow": {"slow": 60},
        "slower than anything": {"slow": 90_000},
        "this week": {"since": days[7]},
        "long ago": {"until": days[300]},
        "one day": {"since": days[201], "until": days[200]},
    }
    pairs = (
        ("failed", "pictures"),
        ("failed", "small workspace"),
        ("failed", "long ago"),
        ("failed", "part of names"),
        ("bad", "slow"),
        ("bad", "mode"),
        ("good", "rare platform"),
        ("slow", "channel"),
        ("slow", "quiet channel"),
        ("very slow", "platform"),
        ("pictures", "person"),
        ("pictures", "one day"),
        ("model of a year ago", "this week"),
        ("model", "handed over"),
        ("stopped", "usual mode"),
    )
    for name, given in single.items():
        yield _page("filter", name, given)
    for one, other in pairs:
        yield _page("filter", f"{one}, {other}", single[one] | single[other])
    for name in ("failed", "pictures", "slow", "model", "bad"):
        yield _page("filter", f"{name}, a reader", single[name], "reader")


def _searches(asked: Asked) -> Iterator[Question]:
    words = {
        "frequent": asked.frequent,
        "medium": asked.medium,
        "rare": asked.rare,
        "Chinese": asked.chinese,
        "rare Chinese": asked.rare_chinese,
        "one character": asked.chinese[0],
        "beginning": asked.medium[:4],
        "none": "xyzzyqq",
        "two": f"{asked.frequent} {asked.medium}",
        "two languages": f"{asked.frequent} {asked.chinese}",
    }
    for name, said in words.items():
        yield _page("search", name, {"q": said})
    filters: dict[str, dict[str, object]] = {
        "failed": {"state": "failed"},
        "bad": {"feedback": "bad"},
        "small workspace": {"workspace": asked.workspaces["small"]},
        "unknown model": {"model": "unknown"},
        "person": {"person": asked.people["somebody"]},
    }
    for name in ("frequent", "medium", "Chinese"):
        for other, given in filters.items():
            yield _page("search", f"{name}, {other}", {"q": words[name]} | given)
        yield _page("search", f"{name}, a reader", {"q": words[name]}, "reader")


def _transcripts(store: Store, asked: Asked) -> Iterator[Question]:
    with store.read() as repositories:
        session = repositories.session
        some = session.query(Turn.conversation_id).order_by(Turn.id.desc()).offset(100).limit(3).all()
    for n, (conversation,) in enumerate(some):
        yield Question("transcript", f"recent {n}", f"/conversations/{conversation}")
    if asked.longest:
        for name, turn in (("end", ""), ("beginning", "?turn=1"), ("middle", f"?turn={LONGEST // 2}")):
            yield Question("transcript", f"{name} of {LONGEST}", f"/conversations/{asked.longest}{turn}")


def _audit(asked: Asked) -> Iterator[Question]:
    for name, given in (("all", ""), ("one's", "?who=reviewer+3"), ("reads", "?action=read")):
        yield Question("audit", name, f"/audit{given}")
    if asked.longest:
        yield Question("audit", "of a conversation", f"/audit?conversation={asked.longest}")
