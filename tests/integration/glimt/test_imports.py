"""Only the worker loads the model's libraries: the other commands start fast and install without them."""

import json
import subprocess
import sys

import pytest

from tests.processes import ROOT

HEAVY = {"torch", "transformers", "safetensors", "accelerate", "numpy"}
SHOW = "import json, sys; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"


@pytest.mark.parametrize(
    ("code", "unwanted"),
    [
        ("import glimt.cli", {*HEAVY, "fastapi", "celery", "sqlalchemy", "phonenumbers"}),
        ("import glimt.cli, bots.web.keys, core.store.database, core.store.migrate", {*HEAVY, "celery"}),
        ("import bots.app", {*HEAVY, "phonenumbers", "stdnum"}),
        ("import glimt.up, glimt.demo, glimt.doctor", HEAVY),
        ("import core.inference.openai_backend.engine", {*HEAVY, "fastapi", "celery", "sqlalchemy"}),
        ("import worker.app", {*HEAVY, "openai", "fastapi", "uvicorn"}),
    ],
)
def test_what_a_command_loads(code: str, unwanted: set[str]) -> None:
    shown = subprocess.run(
        [sys.executable, "-c", f"{code}\n{SHOW}"], capture_output=True, text=True, check=True, cwd=ROOT
    )

    loaded = set(json.loads(shown.stdout))

    assert loaded & unwanted == set()
