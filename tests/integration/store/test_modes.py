"""At which places a mode answers: one condition in SQL, compared with what policies say of each place."""

from typing import Any

import pytest
from sqlalchemy import select

from core.policy.snapshot import snapshot_of
from core.store.database import Store
from core.store.models import Place
from core.store.review.modes import has_mode, unchosen_with
from core.values import Platform
from tests.deciding import decide

PLACES = [
    *((Platform.SLACK, one, f"C{number}") for one in ("a", "b") for number in range(3)),
    *((Platform.TELEGRAM, "bot", place) for place in ("-100", "-100:7", "-100:8", "-200", "-200:7", "55")),
]
MODES = ("plain", "support", "tutor", "moderation", "shopping")
# Who decides what, from the general to the particular.
DECISIONS: list[list[tuple[tuple[Any, ...], str]]] = [
    [],
    [((Platform.SLACK, "a"), "support")],
    [((), "tutor"), ((Platform.SLACK, "a"), "support"), ((Platform.SLACK, "a", "C1"), "plain")],
    [((Platform.TELEGRAM, "bot", "-100"), "support"), ((Platform.TELEGRAM, "bot", "-100:8"), "tutor")],
    [((), "moderation"), ((Platform.TELEGRAM, "bot"), "plain"), ((Platform.TELEGRAM, "bot", "-200"), "moderation")],
]


@pytest.mark.parametrize("decisions", DECISIONS)
def test_the_condition_says_what_policies_say(store: Store, decisions: list[tuple[tuple[Any, ...], str]]) -> None:
    for target, persona in decisions:
        decide(store, *target, persona=persona)
    with store.write() as repositories:
        for number, (platform, workspace, name) in enumerate(PLACES):
            place = repositories.places.get_or_create(repositories.people.workspace(platform, workspace).id, name)
            if number % 4 == 0:
                # People chose for themselves.
                repositories.places.set_persona(place.id, "shopping")
    with store.read() as repositories:
        session = repositories.session
        policies = snapshot_of(repositories.settings.newest())
        places = session.scalars(select(Place)).all()
        assert len(places) == len(PLACES)
        answering = {
            place.id: policies.of(place.workspace_id, place.external_id).persona(place.persona).name for place in places
        }
        for mode in MODES:
            found = set(session.scalars(select(Place.id).where(has_mode(mode, unchosen_with(session, mode)))))
            assert found == {one for one, answers in answering.items() if answers == mode}, mode
