"""Asking the backend engine in tests that choose what the server says."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from core.errors import (
    GlimtError,
)
from core.inference.openai_backend.engine import OpenAIEngine
from core.inference.openai_backend.retries import Waits
from core.settings import Settings, load_settings
from tests.integration.inference.openai_backend.fault_proxy import saying
from tests.unit.inference.asking import asked, collect

KEY = "sk-geheim-0123456789"
VLLM = [{"id": "m", "owned_by": "vllm", "max_model_len": 4096}]
QUICK = Waits(first_s=0.01, longest_s=0.02, patience_s=20.0)
HI_CHUNKS = ({"delta": {"content": "Hi"}}, {"delta": {}, "finish_reason": "stop"})
HI = saying(*HI_CHUNKS)


def at(url: str, **chosen: Any) -> Settings:
    given = {"backend": "openai", "backend_url": f"{url}/v1", "backend_key": KEY, "model": "m", **chosen}
    return load_settings(_env_file=None, **given)


def failing(engine: OpenAIEngine, question: str = "Hello", **chosen: Any) -> GlimtError:
    with capture_logs() as logs, pytest.raises(GlimtError) as caught:
        collect(engine, asked(question, **chosen))
    assert KEY not in f"{logs} {caught.value}"
    return caught.value
