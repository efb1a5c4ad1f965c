"""What policies come to at a place."""

from types import MappingProxyType
from typing import Any

import pytest

from core.conversation.personas import PERSONAS
from core.policy.document import Policy, check_policy
from core.policy.effective import UNLIMITED, Effective, Quotas, in_languages
from core.policy.levels import Level
from core.policy.snapshot import EMPTY, Snapshot
from core.settings import load_settings

SETTINGS = load_settings(_env_file=None, system_prompt="From the settings.", temperature=0.7, max_new_tokens=300)
SHOP = {"name": "shop", "title": "Our shop", "system_prompt": "You sell.", "temperature": 1.0, "model": "big"}


def snapshot(
    installation: dict[str, Any] | None = None,
    workspace: dict[str, Any] | None = None,
    place: dict[str, Any] | None = None,
    group: dict[str, Any] | None = None,
) -> Snapshot:
    """Of one workspace `w`, known as slack:T1, with the places C1 and -1001."""
    places: dict[tuple[str, str], Policy] = {}
    if place is not None:
        places["w", "C1"] = check_policy(Level.PLACE, place)
    if group is not None:
        places["w", "-1001"] = check_policy(Level.PLACE, group)
    return Snapshot(
        check_policy(Level.INSTALLATION, installation or {}),
        MappingProxyType({"w": check_policy(Level.WORKSPACE, workspace)} if workspace is not None else {}),
        MappingProxyType(places),
        MappingProxyType({("slack", "T1"): "w"}),
    )


def test_without_any_policy_everything_is_as_the_settings_say() -> None:
    here = EMPTY.at("slack", "T1", "C1")
    manner = here.manner("", SETTINGS)
    assert here.chain == ()
    assert (manner.persona, manner.system, manner.thinking, manner.model) == ("plain", "From the settings.", False, "")
    assert dict(manner.sampling) == {"temperature": 0.7, "max_new_tokens": 300}
    assert here.personas() is PERSONAS
    assert here.quotas() is UNLIMITED
    assert EMPTY.serves("slack", "T1", "U1", "C1")
    assert not EMPTY.models


def test_a_place_counts_before_its_workspace_and_that_before_the_installation() -> None:
    all_three = snapshot(
        {"temperature": 0.1, "thinking": True, "system_prompt": "I"}, {"temperature": 0.2}, {"temperature": 0.3}
    )
    assert all_three.at("slack", "T1", "C1").find("temperature") == (0.3, Level.PLACE)
    assert all_three.at("slack", "T1", "C2").find("temperature") == (0.2, Level.WORKSPACE)
    assert all_three.at("slack", "T2", "C1").find("temperature") == (0.1, Level.INSTALLATION)
    assert all_three.at("slack", "T1").find("listens") == (None, None)
    manner = all_three.at("slack", "T1", "C1").manner("", SETTINGS)
    assert (manner.system, manner.thinking, manner.sampling["temperature"]) == ("I", True, 0.3)
    assert all_three.of("w", "C1") == all_three.at("slack", "T1", "C1")


def test_what_holds_for_a_group_holds_in_its_topics() -> None:
    group = snapshot(group={"listens": "never"})
    assert group.at("slack", "T1", "-1001:7").find("listens") == ("never", Level.PLACE)
    assert group.at("slack", "T1", "-1002:7").find("listens") == (None, None)


def test_a_mode_of_an_admin_says_more_than_the_place() -> None:
    shop = snapshot(
        {"personas": [SHOP], "model": "small", "temperature": 0.2}, None, {"persona": "shop", "thinking": True}
    )
    here = shop.at("slack", "T1", "C1")
    manner = here.manner("", SETTINGS)
    assert (manner.persona, manner.system, manner.model, manner.thinking) == ("shop", "You sell.", "big", True)
    assert manner.sampling["temperature"] == 1.0
    # Somebody chose another one in the channel.
    assert here.manner("tutor", SETTINGS).system == PERSONAS["tutor"].system
    assert here.manner("tutor", SETTINGS).model == "small"
    assert shop.models


def test_a_built_in_mode_may_be_said_differently() -> None:
    own = snapshot({"personas": [{"name": "tutor", "title": "For class 7", "max_new_tokens": 50}]}).at("slack", "T1")
    manner = own.manner("tutor", SETTINGS)
    assert manner.system == PERSONAS["tutor"].system
    assert dict(manner.sampling) == {"temperature": 0.2, "max_new_tokens": 50}
    assert own.personas()["tutor"].title == "For class 7"


def test_a_mode_that_is_hidden_or_gone_answers_no_more() -> None:
    here = snapshot({"personas": [SHOP], "hidden": ["moderation"]}, {"persona": "shop"}, {"hidden": ["tutor"]})
    at = here.at("slack", "T1", "C1")
    assert set(at.personas()) == {*PERSONAS, "shop"} - {"tutor"}
    assert at.persona("tutor").name == "shop"
    assert at.persona("one that was removed").name == "shop"
    # Its workspace's own mode was removed as well.
    gone = snapshot({}, {"persona": "shop"}).at("slack", "T1", "C1")
    assert (gone.default_persona(), gone.persona("shop").name) == ("plain", "plain")
    hidden = snapshot({}, {"persona": "tutor"}, {"hidden": ["tutor"]}).at("slack", "T1", "C1")
    assert hidden.persona("").name == "plain"


def test_an_empty_list_takes_back_what_is_more_general() -> None:
    here = snapshot(
        {"hidden": ["tutor"], "languages": ["zh"], "model": "big"}, {"hidden": [], "languages": [], "model": "any"}
    )
    at = here.at("slack", "T1")
    assert "tutor" in at.personas()
    assert (at.manner("", SETTINGS).system, at.manner("", SETTINGS).model) == ("From the settings.", "")


def test_the_language_of_answers_is_told_behind_the_system_prompt() -> None:
    one = snapshot({"languages": ["zh"]}).at("slack", "T1").manner("", SETTINGS).system
    assert one == "From the settings.\n\nAlways answer in Chinese, whatever the language of the question."
    assert in_languages(("zh", "en", "de")) == (
        "Answer in the language of the question if it is Chinese, English or German; otherwise answer in Chinese."
    )
    assert in_languages(()) == ""


def test_quotas_of_the_workspace_and_the_installation() -> None:
    here = snapshot({"questions_per_day": 5, "tokens_per_day": 100}, {"questions_per_day": 0})
    assert here.at("slack", "T1", "C1").quotas() == Quotas(tokens_per_day=100)
    assert here.at("slack", "T2").quotas() == Quotas(questions_per_day=5, tokens_per_day=100)
    assert not snapshot({"temperature": 1}).at("slack", "T1").quotas().any


@pytest.mark.parametrize(
    ("installation", "workspace", "place", "served"),
    [
        ({}, {}, {}, {"U1 C1", "U2 C1", "U1 C2", "U1 "}),
        ({"workspaces": ["slack:T1"]}, {}, {}, {"U1 C1", "U2 C1", "U1 C2", "U1 "}),
        ({"workspaces": ["slack:T2"]}, {}, {}, set()),
        ({"workspaces": ["telegram:T1"]}, {}, {}, set()),
        ({}, {"people": ["U1"]}, {}, {"U1 C1", "U1 C2", "U1 "}),
        ({}, {"people": ["U1"]}, {"people": ["U2"]}, {"U2 C1", "U1 C2", "U1 "}),
        ({}, {"places": ["C1"]}, {}, {"U1 C1", "U2 C1", "U1 "}),
        ({}, {"places": ["C1"], "people": ["U2"]}, {}, {"U2 C1"}),
    ],
)
def test_who_is_served(
    installation: dict[str, Any], workspace: dict[str, Any], place: dict[str, Any], served: set[str]
) -> None:
    here = snapshot(installation, workspace, place)
    asked = [("U1", "C1"), ("U2", "C1"), ("U1", "C2"), ("U1", "")]
    assert {f"{person} {at}" for person, at in asked if here.serves("slack", "T1", person, at)} == served


def test_a_key_lets_its_end_users_in() -> None:
    here = snapshot(workspace={"people": ["key:shop"]})
    assert here.serves("slack", "T1", "key:shop/ann")
    assert not here.serves("slack", "T1", "key:other/key:shop")


def test_a_persona_of_nobody() -> None:
    assert Effective().persona("nothing").name == "plain"
