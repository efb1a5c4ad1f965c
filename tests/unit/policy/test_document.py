"""What can be decided, and what becomes of documents that are broken."""

from typing import Any

import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs

from core.policy.changes import Change, changes, for_audit
from core.policy.document import FIELDS, NOTHING, Policy, check_policy, read_policy
from core.policy.levels import Level, place_around

EVERYTHING: dict[str, Any] = {
    "persona": "shop",
    "system_prompt": "Be kind.",
    "temperature": 0.5,
    "max_new_tokens": 100,
    "thinking": True,
    "languages": ["zh", "en"],
    "model": "demo",
    "model_required": True,
    "hidden": ["tutor"],
    "personas": [{"name": "shop", "title": "Our shop", "system_prompt": "You sell.", "languages": ["zh"]}],
    "listens": "pictures",
    "workspaces": ["slack:T1"],
    "places": ["C1"],
    "people": ["U1"],
    "questions_per_minute": 1,
    "questions_per_day": 2,
    "tokens_per_day": 3,
    "workspace_tokens_per_day": 4,
    "workspace_tokens_per_month": 0,
}


def test_every_field_is_decided_somewhere_and_comes_back_as_it_was() -> None:
    assert set(EVERYTHING) == set(Policy.model_fields) == {name for names in FIELDS.values() for name in names}
    for level, names in FIELDS.items():
        document = {name: EVERYTHING[name] for name in names}
        assert check_policy(level, document).stored() == document
    assert check_policy(Level.PLACE, {}) == NOTHING
    assert NOTHING.stored() == {}


@pytest.mark.parametrize(
    ("level", "document", "where"),
    [
        (Level.PLACE, {"personas": []}, ("personas",)),
        (Level.PLACE, {"questions_per_day": 1}, ("questions_per_day",)),
        (Level.INSTALLATION, {"people": ["U1"]}, ("people",)),
        (Level.INSTALLATION, {"temprature": 1}, ("temprature",)),
        (Level.INSTALLATION, {"temperature": 2.1}, ("temperature",)),
        (Level.INSTALLATION, {"temperature": "warm"}, ("temperature",)),
        (Level.INSTALLATION, {"temperature": float("nan")}, ("temperature",)),
        (Level.INSTALLATION, {"max_new_tokens": 0}, ("max_new_tokens",)),
        (Level.INSTALLATION, {"max_new_tokens": 1.5}, ("max_new_tokens",)),
        (Level.INSTALLATION, {"languages": ["tlh"]}, ("languages", 0)),
        (Level.INSTALLATION, {"languages": "zh"}, ("languages",)),
        (Level.INSTALLATION, {"listens": "always"}, ("listens",)),
        (Level.INSTALLATION, {"persona": "Our Shop"}, ("persona",)),
        (Level.INSTALLATION, {"hidden": ["plain"]}, ()),
        (Level.INSTALLATION, {"workspaces": ["T1"]}, ()),
        (Level.INSTALLATION, {"workspaces": ["slack:T 1"]}, ("workspaces", 0)),
        (Level.INSTALLATION, {"questions_per_day": -1}, ("questions_per_day",)),
        (Level.INSTALLATION, {"system_prompt": "x" * 8001}, ("system_prompt",)),
        (Level.INSTALLATION, {"personas": [{"name": "plain"}]}, ("personas", 0)),
        (Level.INSTALLATION, {"personas": [{"title": "x"}]}, ("personas", 0, "name")),
        (Level.INSTALLATION, {"personas": [{"name": "a", "prompt": "x"}]}, ("personas", 0, "prompt")),
        (Level.INSTALLATION, {"personas": [{"name": "a"}, {"name": "a"}]}, ()),
        (Level.INSTALLATION, {"personas": [{"name": f"a{n}"} for n in range(51)]}, ("personas",)),
        (Level.INSTALLATION, {"personas": "tutor"}, ("personas",)),
    ],
)
def test_what_cannot_be_decided_is_named(level: Level, document: dict[str, Any], where: tuple[Any, ...]) -> None:
    with pytest.raises(ValidationError) as caught:
        check_policy(level, document)
    assert caught.value.errors()[0]["loc"] == where


@pytest.mark.parametrize("document", [None, [], "x", 7])
def test_a_row_that_holds_no_document_serves_nobody(document: object) -> None:
    with capture_logs():
        policy = read_policy(document)
    assert (policy.workspaces, policy.places, policy.people) == ((), (), ())


def test_of_a_broken_row_the_rest_counts_but_nobody_is_let_in_by_mistake() -> None:
    with capture_logs() as logs:
        policy = read_policy(
            {**EVERYTHING, "temperature": "warm", "people": [1], "of_a_later_version": True}, "place 1"
        )
    assert (policy.temperature, policy.people, policy.places) == (None, (), ("C1",))
    assert policy.system_prompt == "Be kind."
    assert logs == [
        {"event": "settings_unreadable", "fields": ["people", "temperature"], "where": "place 1", "log_level": "error"}
    ]


def test_of_a_row_that_contradicts_itself_who_is_served_counts() -> None:
    with capture_logs():
        policy = read_policy({"hidden": ["plain"], "people": ["U1"], "temperature": 1})
    assert (policy.people, policy.temperature) == (("U1",), None)


def test_what_a_later_version_knows_besides_is_passed_over() -> None:
    assert read_policy({"temperature": 1.0, "of_a_later_version": True}) == Policy(temperature=1.0)


def test_what_changed() -> None:
    before = {"temperature": 0.5, "personas": [{"name": "shop", "system_prompt": "A"}, {"name": "old"}]}
    after = {"people": ["U1", "U2"], "personas": [{"name": "shop", "system_prompt": "ABC", "title": "T"}]}
    found = changes(before, after)
    assert found == [
        Change("temperature", 0.5, None),
        Change("personas.shop.system_prompt", "A", "ABC"),
        Change("personas.old", "old", None),
        Change("people", None, ["U1", "U2"]),
        Change("personas.shop.title", None, "T"),
    ]
    assert changes(after, after) == []
    # No prompts and no lists of people in the audit log.
    assert for_audit(found) == {
        "temperature": [0.5, None],
        "personas.shop.system_prompt": ["1 characters", "3 characters"],
        "personas.old": ["old", None],
        "people": [None, "2 listed"],
        "personas.shop.title": [None, "T"],
    }


@pytest.mark.parametrize(
    ("place", "around"), [("-1001:7", "-1001"), ("-1001", ""), ("b12:-1001", ""), ("C0123", ""), ("", "")]
)
def test_a_topic_is_a_part_of_its_group(place: str, around: str) -> None:
    assert place_around(place) == around
