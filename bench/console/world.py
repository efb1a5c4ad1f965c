"""What a year of an installation leaves in its database, made up from a seed: rows as both databases take them.

Times and JSON are text, so that a row is the same for SQLite's driver and PostgreSQL's COPY. Turns come in the order of
their ids, as they came in life. `facts`, `models` and `slowness` of a conversation are what its triggers would have
written (`core/store/review/facts.py`); a test compares them.
"""

import heapq
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from bench.console.words import Language, chinese, english
from core.store.review.facts import PICTURES, STATES, THUMBS, models_of, slowness_of

YEAR_S = 365 * 86400
LONGEST = 1000
# Slow enough that the page says so.
SLOW_S = 30.0
MODELS = ("qwen2-vl-7b", "glm-4.6v-flash", "smolvlm")
_FIRST = "Ann Bo Cy Dana Eli Fay Gus Hana Ivo Jo Kim Lea Max Nia Oda Pia Quin Rui Sam Tove Uma Vera Wen Xia Yan Zoe"
_LAST = "Berg Chen Dahl Evans Fox Garcia Hall Ito Jensen Khan Lind Moe Novak Olsen Park Quist Roy Silva Tang Ueda Vik"
_CHINESE = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗", "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平"

Row = dict[str, Any]


class Made(NamedTuple):
    """One row of a table."""

    table: str
    row: Row


@dataclass(frozen=True)
class Asked:
    """What a measurement asks for, by what it is."""

    workspaces: dict[str, str]
    places: dict[str, str]
    people: dict[str, str]
    longest: str
    frequent: str
    medium: str
    rare: str
    chinese: str
    rare_chinese: str


class World:
    """`turns` turns, `seed` decides which. The rows are made once, by `rows`; `asked` is known afterwards."""

    def __init__(self, turns: int, *, seed: int = 1, now: datetime | None = None) -> None:
        self.turns = turns
        self._random = Random(seed)
        self._now = (now or datetime.now(UTC)).replace(microsecond=0)
        self._begin = self._now - timedelta(seconds=YEAR_S)
        self._english: Language = english(self._random)
        self._chinese: Language = chinese(self._random)
        self._last_ms: dict[int, int] = {}
        self._longest = ""
        self._workspaces: list[Row] = []
        self._people: dict[str, list[str]] = {}
        self._places: dict[str, list[str | None]] = {}
        self._named: dict[str, str] = {}

    @property
    def asked(self) -> Asked:
        """What there is to ask for."""
        by_name = {row["external_id"]: row["id"] for row in self._workspaces}
        return Asked(
            workspaces={"big": by_name["T-big"], "small": by_name["T-small-0"]},
            places={kind: self._named[kind] for kind in ("busy", "quiet", "support")},
            people={kind: self._named[kind] for kind in ("busiest", "somebody")},
            longest=self._longest,
            frequent=self._english.word(0),
            medium=self._english.word(1500),
            rare=self._english.word(50_000),
            chinese=self._chinese.word(70),
            rare_chinese=self._chinese.word(40_000),
        )

    def rows(self) -> Iterator[Made]:
        """Everything, parents before what belongs to them."""
        yield from self._parents()
        waiting: list[tuple[str, int, list[Made]]] = []
        starts = sorted(self._random.random() for _ in range(max(1, self.turns // 3)))
        made = 0
        for number, start in enumerate(starts):
            length = LONGEST if number == len(starts) // 4 and self.turns >= 2 * LONGEST else self._length()
            length = min(length, self.turns - made)
            if length == 0:
                break
            at = self._begin + timedelta(seconds=start * (YEAR_S - 86400))
            border = _id(at, 0)
            while waiting and waiting[0][0] < border:
                yield from heapq.heappop(waiting)[2]
            conversation, turns = self._conversation(number, at, length)
            if length == LONGEST:
                self._longest = conversation["id"]
            yield Made("conversations", conversation)
            for turn_id, rows in turns:
                heapq.heappush(waiting, (turn_id, number, rows))
            made += length
        while waiting:
            yield from heapq.heappop(waiting)[2]
        yield from self._audit()

    def _parents(self) -> Iterator[Made]:
        random = self._random
        kinds = [("slack", "T-big", 0.7), ("telegram", "bot", 0.17), ("web", "local", 0.05), ("api", "keys", 0.02)]
        kinds += [("slack", f"T-small-{n}", 0.003) for n in range(20)]
        people = max(60, self.turns // 20)
        channels = max(20, round(2 * (self.turns / 100) ** 0.5))
        for n, (platform, name, share) in enumerate(kinds):
            workspace = _id(self._begin, n)
            row = {"id": workspace, "platform": platform, "external_id": name, "name": f"Team {name}", "weight": share}
            self._workspaces.append(row)
            yield Made("workspaces", {k: v for k, v in row.items() if k != "weight"} | {"created_at": _at(self._begin)})
            self._people[workspace] = []
            for m in range(max(3, int(people * share))):
                person = self._new_id(self._begin)
                self._people[workspace].append(person)
                named = self._name() if random.random() < 0.95 else ""
                external = f"U{n}-{m}"
                if platform == "slack" and name == "T-big" and m in (0, 40):
                    self._named["busiest" if m == 0 else "somebody"] = external
                yield Made(
                    "people",
                    {
                        "id": person,
                        "workspace_id": workspace,
                        "external_id": external,
                        "display_name": named,
                        "created_at": _at(self._begin),
                    },
                )
            count = {"slack": max(3, int(channels * share)), "telegram": max(3, int(people * share)) // 2}
            self._places[workspace] = [] if platform in count else [None]
            for m in range(count.get(platform, 0)):
                place = self._new_id(self._begin)
                self._places[workspace].append(place)
                persona = "support" if m % 40 == 3 else "tutor" if m % 97 == 50 else ""
                if name == "T-big":
                    self._named |= {"busy": place} if m == 0 else {"support": place} if m == 3 else {"quiet": place}
                yield Made(
                    "places",
                    {
                        "id": place,
                        "workspace_id": workspace,
                        "external_id": f"C{n}-{m}",
                        "persona": persona,
                        "created_at": _at(self._begin),
                    },
                )

    def _conversation(self, number: int, at: datetime, length: int) -> tuple[Row, list[tuple[str, list[Made]]]]:
        random = self._random
        workspace = random.choices(self._workspaces, [row["weight"] for row in self._workspaces])[0]
        if length == LONGEST:
            workspace = self._workspaces[0]
        people, places = self._people[workspace["id"]], self._places[workspace["id"]]
        mine = [people[self._zipf(len(people))] for _ in range(min(length, random.choice((1, 1, 1, 2, 3))))]
        conversation_id = self._new_id(at)
        speaks = self._chinese if random.random() < 0.3 else self._english
        facts, models, slowest, turns = 0, [], 0, []
        for seq in range(1, length + 1):
            at += timedelta(seconds=random.expovariate(1 / (120 if random.random() < 0.9 else 20_000)))
            at = min(at, self._now - timedelta(seconds=400))
            turn_id, rows, bits, model, seconds = self._turn(
                workspace, conversation_id, random.choice(mine), seq, at, speaks
            )
            facts |= bits
            models.append(model)
            slowest = max(slowest, slowness_of(seconds) if seconds else 0)
            turns.append((turn_id, rows))
        last = turns[-1][1][0].row
        return {
            "id": conversation_id,
            "workspace_id": workspace["id"],
            "person_id": turns[0][1][0].row["person_id"],
            "external_id": f"thread-{number}",
            "place_id": places[self._zipf(len(places))],
            "title": turns[0][1][0].row["question"][:60],
            "last_seq": length,
            "created_at": turns[0][1][0].row["created_at"],
            "updated_at": last["finished_at"] or last["created_at"],
            "facts": facts,
            "models": models_of(models),
            "slowness": slowest,
        }, turns

    def _turn(
        self, workspace: Row, conversation: str, person: str, seq: int, at: datetime, speaks: Language
    ) -> tuple[str, list[Made], int, str, float]:
        random = self._random
        turn_id = self._new_id(at)
        state = random.choices(("delivered", "failed", "cancelled", "handed_over"), (98.3, 1, 0.5, 0.2))[0]
        answered = state == "delivered"
        seconds = round(random.lognormvariate(1.3, 0.85), 3)
        if state == "handed_over":
            seconds = 0.001
        year = (at - self._begin).total_seconds() / YEAR_S
        model = (MODELS[2] if year < 0.02 else MODELS[0] if random.random() < 0.8 else MODELS[1]) if answered else ""
        finished = at + timedelta(seconds=seconds)
        facts = STATES.get(state, 0)
        turn = {
            "id": turn_id,
            "conversation_id": conversation,
            "person_id": person,
            "seq": seq,
            "state": state,
            "question": speaks.text(random, random.randint(3, 14)) + "?",
            "answer": speaks.text(random, random.randint(8, 60)) + "." if answered else "",
            "finish_reason": "stop" if answered else "",
            "error_code": "engine" if state == "failed" else "",
            "error_message": "The model could not answer." if state == "failed" else "",
            "attempt": 1,
            "created_at": _at(at),
            "ready_at": _at(at),
            "started_at": _at(at + timedelta(seconds=seconds / 4)),
            "first_token_at": _at(at + timedelta(seconds=seconds / 2)) if answered else None,
            "finished_at": _at(finished),
            "delivered_at": _at(finished) if answered else None,
            "model": model,
            "prompt_tokens": 400,
            "picture_tokens": 300,
            "completion_tokens": 60,
        }
        rows = [Made("turns", turn)]
        if random.random() < 0.6:
            facts |= PICTURES
            picture: Row = {"state": "stored", "name": "photo.jpg", "blob_key": f"{random.getrandbits(256):064x}"}
            picture |= {"media_type": "image/jpeg", "width": 800, "height": 600, "byte_size": 90_000}
            rows.append(Made("attachments", {"id": self._new_id(at), "turn_id": turn_id, "position": 0, **picture}))
        if answered and random.random() < 0.03:
            good = random.random() < 0.67
            facts |= THUMBS["good" if good else "bad"]
            verdict = {"rating": 1 if good else -1, "created_at": _at(finished)}
            rows.append(Made("feedback", {"id": self._new_id(at), "turn_id": turn_id, "person_id": person, **verdict}))
        told = {"platform": workspace["platform"], "kind": "answer", "state": "sent", "attempts": 1}
        told |= {"created_at": _at(at), "sent_at": _at(finished)}
        rows.append(Made("deliveries", {"id": self._new_id(at), "turn_id": turn_id, **told}))
        cost: Row = {
            "workspace_id": workspace["id"],
            "person_id": person,
            "turn_id": turn_id,
            "attempt": 1,
            "model": model,
        }
        cost |= {"prompt_tokens": 400, "picture_tokens": 300, "completion_tokens": 60, "engine_s": seconds / 2}
        rows.append(Made("usage", {"id": self._new_id(at), "created_at": _at(finished), **cost}))
        return turn_id, rows, facts, model, seconds

    def _audit(self) -> Iterator[Made]:
        count = self.turns // 10
        for n in range(count):
            at = self._begin + timedelta(seconds=YEAR_S * n / count)
            said = {"admin_name": f"reviewer {n % 7}", "action": ("listed", "read", "searched")[n % 3]}
            said |= {"at": _at(at), "conversation_id": self._longest if n % 50 == 1 else ""}
            yield Made("audit_log", {"id": self._new_id(at), **said, "detail": json.dumps({"asked": {"q": "x"}})})

    def _length(self) -> int:
        """Most are short; about one in a hundred has more than thirty turns. 2.4 on average, beside the longest."""
        return min(200, int(self._random.paretovariate(1.35)))

    def _zipf(self, count: int) -> int:
        return min(count - 1, int(count ** self._random.random()) - 1)

    def _name(self) -> str:
        random = self._random
        if random.random() < 0.3:
            return random.choice(_CHINESE[0]) + "".join(random.choices(_CHINESE[1], k=2))
        return f"{random.choice(_FIRST.split())} {random.choice(_LAST.split())} {random.randint(1, 99)}"

    def _new_id(self, at: datetime) -> str:
        return _id(at, self._random.getrandbits(80))


def _id(at: datetime, rest: int) -> str:
    """As `core.values.new_id` makes them."""
    return f"{int(at.timestamp() * 1000):012x}{rest:020x}"


def _at(at: datetime) -> str:
    return f"{at.replace(tzinfo=None):%Y-%m-%d %H:%M:%S.%f}"
