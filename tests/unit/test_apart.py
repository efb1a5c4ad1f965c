"""The tests read nothing of an installation that their developer has: its worker would answer people's questions."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import ROOT

# It is about reading the file, in an empty folder.
MAY_READ = {"tests/unit/test_settings.py"}
# A database that cannot be reached, so that whoever tries fails.
ELSEWHERE = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/people", "REDIS_URL": "redis://127.0.0.1:1/0"}


@pytest.mark.parametrize("where", ["environment", "file"])
def test_a_configured_database_is_not_touched(tmp_path: Path, where: str) -> None:
    (tmp_path / ".env").write_text("".join(f"{k}={v}\n" for k, v in ELSEWHERE.items()) if where == "file" else "")
    env = os.environ | {"PYTHONPATH": str(ROOT)} | (ELSEWHERE if where == "environment" else {})
    test = ROOT / "tests/integration/worker/test_answering.py"

    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test, "-k", "thinking"],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
    )

    assert run.returncode == 0, run.stdout
    assert "1 passed" in run.stdout


def test_settings_in_tests_read_no_file() -> None:
    reading = []
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                named = {keyword.arg for keyword in node.keywords}
                if node.func.id in ("Settings", "load_settings") and "_env_file" not in named:
                    reading.append(str(path.relative_to(ROOT)))
    assert set(reading) <= MAY_READ
