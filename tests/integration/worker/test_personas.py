"""The persona of a place is who answers there: its words before the settings', its sampling before what was set."""

from pathlib import Path
from typing import Any

import pytest

from core.conversation.personas import PERSONAS
from core.store.database import Store
from core.values import Platform, new_id, utc_now
from tests.integration.worker.workbench import Workbench, workbench
from tests.unit.inference.eyes_pair import make_pair


def ask_at(bench: Workbench, persona: str, system_prompt: str = "", **options: Any) -> str:
    with bench.store.write() as repositories:
        workspace = repositories.people.workspace(Platform.SLACK, "team")
        person = repositories.people.person(workspace.id, "ann")
        place = repositories.places.get_or_create(workspace.id, new_id())
        repositories.places.set_persona(place.id, persona)
        conversation = repositories.conversations.get_or_create(
            workspace.id, new_id(), person.id, system_prompt=system_prompt, place_id=place.id
        )
        return repositories.turns.add(conversation.id, person.id, "Hello?", options=options, now=utc_now()).id


@pytest.mark.parametrize(
    ("persona", "system_prompt", "options", "told", "temperature"),
    [
        ("tutor", "", {}, PERSONAS["tutor"].system, 0.2),
        ("tutor", "", {"temperature": 0.9}, PERSONAS["tutor"].system, 0.9),
        ("tutor", "What a client says.", {}, "What a client says.", 0.2),
        ("plain", "", {}, "What the settings say.", 0.7),
        ("", "", {}, "What the settings say.", 0.7),
        ("one of a later version", "", {}, "What the settings say.", 0.7),
    ],
)
def test_who_answers_at_a_place(
    sqlite_store: Store,
    tmp_path: Path,
    persona: str,
    system_prompt: str,
    options: dict[str, Any],
    told: str,
    temperature: float,
) -> None:
    pair = make_pair()
    said = "What the settings say."
    with workbench(sqlite_store, pair.engine, tmp_path, system_prompt=said, temperature=0.7) as bench:
        bench.answerer.answer(ask_at(bench, persona, system_prompt, **options))
    (request,) = pair.mind.requests
    assert request.messages[0].role == "system"
    assert request.messages[0].text.startswith(told)
    assert request.sampling.temperature == temperature
