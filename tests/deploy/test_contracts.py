"""The import contracts in pyproject.toml: complete, and able to notice."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.deploy.files import ROOT

CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]


def contract(words: str) -> dict[str, list[str]]:
    (found,) = [c for c in CONTRACTS["contracts"] if words in c["name"]]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("words", ["torch and transformers", "reach core.inference"])
def test_every_part_of_core_but_inference_is_kept_from_the_inference_stack(words: str) -> None:
    parts = {path.stem for path in (ROOT / "core").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    expected = {f"core.{part}" for part in parts - {"__init__", "inference"}} | {"admin", "bots", "serving"}
    assert set(contract(words)["source_modules"]) == expected


@pytest.mark.parametrize(
    ("module", "line", "broken"),
    [
        ("core/values.py", "import worker.app", "imports run one way"),
        ("bots/app.py", "import worker.answer", "imports run one way"),
        ("bots/app.py", "import torch", "torch and transformers"),
        ("core/store/database.py", "from transformers import pipeline", "torch and transformers"),
        ("worker/app.py", "import torch", "imports torch itself"),
        ("glimt/doctor.py", "from transformers import pipeline", "imports torch itself"),
        ("bots/app.py", "from core.inference.create import create_engine", "reach core.inference"),
        ("worker/app.py", "import slack_bolt", "platform SDKs"),
        ("core/media/blobs.py", "import fastapi", "web framework"),
    ],
)
def test_a_forbidden_import_is_noticed(module: str, line: str, broken: str, tmp_path: Path) -> None:
    for package in CONTRACTS["root_packages"]:
        for source in (ROOT / package).rglob("*.py"):
            copy = tmp_path / source.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(source.read_text())
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    with (tmp_path / module).open("a") as file:
        file.write(f"\n{line}  # noqa\n")
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert re.search(f"{broken}.* BROKEN", done.stdout), done.stdout
