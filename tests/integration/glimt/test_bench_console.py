"""`glimt bench console`: what it prints, and that what it writes in bulk is what writers and triggers would have."""

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from bench.console.load import PostgresSink, SqliteSink, load
from bench.console.world import LONGEST, World
from core.store.database import Store
from core.store.migrate import downgrade, upgrade
from tests.integration.glimt.command import glimt
from tests.integration.store.scene import NOW

TURNS = 2000
PAGES = {"inbox", "filter", "search", "transcript", "audit"}
# What triggers keep, of both databases and of one.
KEPT = {
    "facts": "SELECT id, facts, slowness FROM conversations ORDER BY id",
    "names": "SELECT pair, person_id FROM name_pairs ORDER BY pair, person_id",
}
WORDS = {
    "sqlite": "SELECT a.turn_id, w.words FROM turn_words_at a JOIN turn_words w ON w.rowid = a.id ORDER BY a.id",
    "postgresql": "SELECT turn_id, CAST(words AS text) FROM turn_words ORDER BY turn_id",
}
OBJECTS = {
    "sqlite": "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name",
    "postgresql": "SELECT indexname FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexname",
}


def _models(store: Store) -> dict[str, set[str]]:
    with store.read() as repositories:
        rows = repositories.session.execute(text("SELECT id, models FROM conversations"))
        return {one: set(models.split("\n")) for one, models in rows}


def _all(store: Store, statement: str) -> list[tuple[Any, ...]]:
    with store.read() as repositories:
        return [tuple(row) for row in repositories.session.execute(text(statement))]


def test_what_is_written_in_bulk_is_what_triggers_would_have_written(sql_url: str) -> None:
    kind = sql_url.split(":")[0].split("+")[0]
    store = Store(sql_url)
    made = _all(store, OBJECTS[kind])
    world = World(TURNS, seed=3)
    with (SqliteSink if kind == "sqlite" else PostgresSink)(sql_url) as sink:
        load(world.rows(), [sink])
    assert _all(store, OBJECTS[kind]) == made
    statements = {**KEPT, "words": WORDS[kind]}
    loaded = {what: _all(store, statement) for what, statement in statements.items()}
    models = _models(store)
    assert len(loaded["words"]) == TURNS
    store.close()
    downgrade(sql_url, "0007")
    upgrade(sql_url)
    store = Store(sql_url)
    for what, statement in statements.items():
        assert _all(store, statement) == loaded[what], what
    assert _models(store) == models
    store.close()


def test_the_same_seed_makes_the_same_world() -> None:
    one, other = World(TURNS, seed=3, now=NOW), World(TURNS, seed=3, now=NOW)
    rows = list(one.rows())
    assert rows == list(other.rows())
    assert asdict(one.asked) == asdict(other.asked)
    turns = [made.row for made in rows if made.table == "turns"]
    assert [turn["id"] for turn in turns] == sorted(turn["id"] for turn in turns)
    assert max(Counter(turn["conversation_id"] for turn in turns).values()) == LONGEST


def test_it_prints_a_ratio_of_each_page_and_database(tmp_path: Path) -> None:
    measured = glimt(tmp_path, "bench", "console", "--json", "--turns", str(TURNS), "--rounds", "1", "--few")

    assert measured.returncode == 0, measured.stderr
    result = json.loads(measured.stdout)
    assert result["turns"] == {"small": 500, "large": TURNS}
    for kind in ("sqlite", "postgresql"):
        assert set(result["p95_ratio_1m_vs_10k"][kind]) == PAGES
        assert all(ratio > 0 for ratio in result["p95_ratio_1m_vs_10k"][kind].values())
    assert set(result["page_weight_bytes"]) == PAGES
    assert all(0 < weight <= 60 * 1024 for weight in result["page_weight_bytes"].values())
    assert list(tmp_path.glob("*.db")) == []


@pytest.mark.parametrize("turns", ["0", "999"])
def test_it_needs_turns(tmp_path: Path, turns: str) -> None:
    refused = glimt(tmp_path, "bench", "console", "--turns", turns)

    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--turns" in refused.stderr
