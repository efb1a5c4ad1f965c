""".env.example says of every setting that it exists and what its default is, and says it truly."""

from pathlib import Path

import pytest

from core.settings import Settings
from tests.deploy.env_example import documented, names
from tests.deploy.files import ROOT, variables_of


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in names():
        monkeypatch.delenv(name, raising=False)


def test_every_setting_is_documented_once() -> None:
    settings = [entry.alias_name for entry in documented() if entry.setting]
    assert sorted(settings) == sorted(names())


def test_every_other_variable_is_one_that_compose_reads() -> None:
    others = {entry.alias_name for entry in documented() if not entry.setting}
    # Compose reads its own variable without our naming it.
    assert others - {"COMPOSE_PROFILES"} <= variables_of((ROOT / "compose.yaml").read_text())


def test_the_values_beside_the_settings_are_their_defaults(tmp_path: Path) -> None:
    env = tmp_path / ".env"
    env.write_text("".join(f"{entry.alias_name}={entry.value}\n" for entry in documented()))
    assert Settings(_env_file=env).model_dump() == Settings(_env_file=None).model_dump()


def test_copied_as_it_is_it_changes_nothing() -> None:
    assert Settings(_env_file=ROOT / ".env.example") == Settings(_env_file=None)
