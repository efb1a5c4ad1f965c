"""The Dockerfile: what it copies is there, and what each image holds is all that its process needs."""

import json
import os
import shutil
import subprocess
import sys
import threading
from fnmatch import fnmatch
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from glimt.ports import free_port
from tests.deploy.files import ROOT, load_pins, load_stages
from tests.deploy.test_compose import OURS, resolve

STAGES = load_stages()
IMAGES = ("bots", "worker")
# Imports modules as an image would: what the image does not hold cannot be imported.
IMPORTER = """
import importlib, importlib.metadata, json, sys
held, absent, modules = json.loads(sys.argv[1])
for module, owners in importlib.metadata.packages_distributions().items():
    if not any(owner.lower().replace("_", "-") in held for owner in owners):
        absent.append(module)
sys.modules.update(dict.fromkeys(absent))
for module in modules:
    importlib.import_module(module)
"""


@pytest.mark.parametrize("stage", sorted(STAGES))
def test_copied_sources_exist(stage: str) -> None:
    for source in STAGES[stage].copied():
        assert (ROOT / source).exists(), source


def test_copied_sources_reach_the_builder() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in lines
    allowed = [line.removeprefix("!") for line in lines if line.startswith("!")]
    for stage in STAGES.values():
        for source in stage.copied():
            assert any(fnmatch(source.rstrip("/"), pattern) for pattern in allowed), source


@pytest.mark.parametrize("service", sorted(OURS))
def test_compose_builds_stages_that_exist(service: str) -> None:
    assert OURS[service]["build"]["target"] in IMAGES
    for argument in OURS[service]["build"].get("args", {}):
        assert any(argument in step for stage in STAGES.values() for step in stage.all("ARG"))


@pytest.mark.parametrize("image", IMAGES)
def test_images_run_unprivileged_watched_and_without_build_tools(image: str) -> None:
    stage = STAGES[image]
    assert stage.all("USER") == ["glimt"]
    assert stage.all("HEALTHCHECK")
    assert not any("apt-get" in step or "pip install" in step for step in stage.all("RUN"))
    resolve(json.loads(stage.all("CMD")[-1]))


def test_only_the_worker_image_gets_torch() -> None:
    assert any("${TORCH}" in step for step in STAGES["build-worker"].all("RUN"))
    assert not any("TORCH" in step or "worker.txt" in step for step in STAGES["build-bots"].all("RUN"))


@pytest.mark.parametrize(
    ("image", "modules"),
    [
        ("bots", ["admin.app", "admin.manage", "bots.app", "bots.web.keys", "core.store.migrate", "glimt.doctor"]),
        ("worker", ["worker.app", "worker.health", "glimt.doctor"]),
    ],
)
def test_an_image_holds_all_that_its_process_imports(image: str, modules: list[str], tmp_path: Path) -> None:
    held = import_in_image(image, ["glimt.cli", *modules], tmp_path)
    assert held.returncode == 0, held.stderr


def test_the_worker_image_can_load_its_engine(tmp_path: Path) -> None:
    held = import_in_image("worker", ["core.inference.engine"], tmp_path)
    assert held.returncode == 0, held.stderr


def test_the_bots_image_cannot_load_an_engine(tmp_path: Path) -> None:
    held = import_in_image("bots", ["core.inference.engine"], tmp_path)
    assert "import of torch halted" in held.stderr


@pytest.mark.parametrize("status", [200, 503])
def test_the_bots_health_check_asks_this_container_and_no_proxy(status: int) -> None:
    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing on stderr."""

    asked: list[str] = []
    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        healthy = is_healthy(server.server_port)
        thread.join()
    assert (healthy, asked) == (status == 200, ["/healthz"])


def test_bots_that_do_not_answer_are_not_healthy() -> None:
    assert not is_healthy(free_port("127.0.0.1"))


def is_healthy(port: int) -> bool:
    """Run the bots container's health check here, with a proxy in its environment that is not there."""
    (healthcheck,) = STAGES["bots"].all("HEALTHCHECK")
    python, *arguments = json.loads(healthcheck.partition("CMD ")[2])
    assert python == "python"
    environment = {"GLIMT_WEB_PORT": str(port), "http_proxy": "http://127.0.0.1:1"}
    return subprocess.run([sys.executable, *arguments], env=environment, capture_output=True).returncode == 0


def import_in_image(image: str, modules: list[str], tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """Import `modules` with nothing but what the Dockerfile puts into `image`."""
    sources = STAGES[image].copied()
    for source in sources:
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, tmp_path / source, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / source, tmp_path / source)
    held = ["glimt", *load_pins(f"{image}.txt"), *(["torch"] if image == "worker" else [])]
    # The checkout is on the path too; its other packages must not be found there.
    absent = sorted({"admin", "bots", "worker", "bench", "tools", "tests"} - {source.rstrip("/") for source in sources})
    return subprocess.run(
        [sys.executable, "-c", IMPORTER, json.dumps([held, absent, modules])],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
