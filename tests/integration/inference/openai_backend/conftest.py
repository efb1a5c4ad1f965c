"""The servers that the backend engine is tried on: `transformers serve`, and one that says what it is given to say."""

import os
import sys
import urllib.request
from collections.abc import Iterator

import pytest

from core.inference.openai_backend.engine import OpenAIEngine
from core.inference.source import DEMO
from core.process import spawn, stop
from glimt.ports import free_port
from tests.integration.inference.openai_backend.desk import QUICK, VLLM, at
from tests.integration.inference.openai_backend.fault_proxy import FaultProxy, fault_proxy
from tests.processes import ROOT, until


@pytest.fixture(scope="session")
def transformers_serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a running `transformers serve` that has the demo model in float32, under the name of its folder."""
    folder, port = tmp_path_factory.mktemp("serve"), free_port("127.0.0.1")
    address = f"http://127.0.0.1:{port}"
    env = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1", "HF_HOME": str(folder / "hub")}
    with (folder / "log").open("wb") as output:
        program = [sys.executable, "-m", "tests.integration.inference.openai_backend.transformers_serve"]
        process = spawn([*program, str(DEMO), str(port)], env=env, output=output, cwd=ROOT)
    try:
        until(lambda: process.poll() is not None or _healthy(address), "the server answers")
        assert process.poll() is None, (folder / "log").read_text()
        yield address
    finally:
        stop(process, 10.0)


def _healthy(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


@pytest.fixture(scope="module")
def running() -> Iterator[FaultProxy]:
    with fault_proxy("http://nowhere.invalid") as proxy:
        yield proxy


@pytest.fixture
def server(running: FaultProxy) -> FaultProxy:
    """A server with one model of vLLM's, which says only what it is given to say."""
    running.models = VLLM
    running.models_status = 200
    running.props = {}
    running.faults.clear()
    running.bodies.clear()
    running.headers.clear()
    return running


@pytest.fixture(scope="module")
def lasting(running: FaultProxy) -> Iterator[OpenAIEngine]:
    running.models = VLLM
    engine = OpenAIEngine.connect(at(running.url), waits=QUICK)
    yield engine
    engine.close()


@pytest.fixture
def engine(server: FaultProxy, lasting: OpenAIEngine) -> OpenAIEngine:
    """One for all tests that teach it nothing."""
    return lasting


@pytest.fixture
def fresh(server: FaultProxy) -> Iterator[OpenAIEngine]:
    """One that has learned nothing yet."""
    engine = OpenAIEngine.connect(at(server.url), waits=QUICK)
    yield engine
    engine.close()
