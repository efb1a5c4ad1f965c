"""`glimt settings` as whoever keeps them in git types it."""

import json
from pathlib import Path

import pytest

from core.store.database import Store
from tests.integration.glimt.command import glimt

DECIDED = {
    "installation": {
        "languages": ["zh"],
        "personas": [{"name": "shop", "title": "商店", "system_prompt": "You sell."}],
    },
    "workspaces": {"slack:T1": {"questions_per_day": 5}},
    "places": {"slack:T1": {"C1": {"listens": "pictures"}}, "telegram:7": {"-1001": {"persona": "shop"}}},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("settings")
    (made / "decided.json").write_text(json.dumps(DECIDED, ensure_ascii=False), encoding="utf-8")
    tried = glimt(made, "settings", "import", "decided.json", "--dry-run")
    assert (tried.returncode, tried.stderr.strip().splitlines()[-1]) == (0, "4 would be changed")
    assert json.loads(glimt(made, "settings", "export").stdout) == {"installation": {}, "workspaces": {}, "places": {}}
    return made


def test_what_is_exported_is_imported_and_only_changes_are_versions(folder: Path) -> None:
    made = glimt(folder, "settings", "import", "decided.json", "--comment", "from git")
    assert (made.returncode, made.stderr.strip().splitlines()[-1]) == (0, "4 changed")
    assert "place slack:T1 C1: listens" in made.stdout
    exported = glimt(folder, "settings", "export").stdout
    assert json.loads(exported) == DECIDED
    assert "商店" in exported
    (folder / "again.json").write_text(exported, encoding="utf-8")
    assert glimt(folder, "settings", "import", "again.json").stderr.strip().endswith("0 changed")
    shown = glimt(folder, "settings", "show").stdout.splitlines()
    assert "workspaces slack:T1 questions_per_day\t5" in shown
    store = Store(f"sqlite:///{folder}/data/glimt.db")
    with store.read() as repositories:
        assert repositories.settings.count() == 4
        entries, _ = repositories.audit.list(action="settings_changed")
    assert {entry.admin_name for entry in entries} == {"command line"}
    store.close()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "is no JSON"),
        ("[]", "the file holds no object"),
        ('{"channels": {}}', "channels: there are only installation, workspaces and places"),
        ('{"workspaces": []}', "workspaces: this is no object"),
        ('{"workspaces": {"T1": {}}}', "T1: this is no workspace such as slack:T0123"),
        ('{"workspaces": {"irc:T1": {}}}', "irc:T1: this is no workspace"),
        ('{"places": {"slack:T1": []}}', "slack:T1: this is no object"),
        ('{"places": {"slack:T1": {"C1": 7}}}', "place slack:T1 C1: this is no object"),
        ('{"installation": {"temperature": 7}}', "installation: temperature: Input should be less than"),
        ('{"places": {"slack:T1": {"C1": {"people": "U1"}}}}', "place slack:T1 C1: people: Input should be"),
        ('{"installation": {"people": ["U1"]}}', "installation: people: there is no such setting at this level"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_imported(folder: Path, content: str, says: str) -> None:
    (folder / "wrong.json").write_text(content)
    refused = glimt(folder, "settings", "import", "wrong.json")
    assert refused.returncode == 1
    assert says in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_file_that_is_not_there(folder: Path) -> None:
    refused = glimt(folder, "settings", "import", "absent.json")
    assert refused.returncode == 1
    assert "absent.json cannot be read" in refused.stderr
