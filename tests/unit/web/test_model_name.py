"""What clients call the served model."""

import pytest

from bots.web.model_name import served_model
from core.settings import load_settings


@pytest.mark.parametrize(
    ("model", "backend", "name"),
    [
        ("demo", "transformers", "demo"),
        ("/srv/models/GLM-4.6V-Flash", "transformers", "GLM-4.6V-Flash"),
        ("scripted:echo?tokens=3", "transformers", "scripted:echo"),
        ("zai-org/GLM-4.6V-Flash", "openai", "zai-org/GLM-4.6V-Flash"),
        # Not given: the worker takes what its backend has.
        ("demo", "openai", "glimt"),
    ],
)
def test_the_name_of_the_model(model: str, backend: str, name: str) -> None:
    settings = load_settings(_env_file=None, model=model, backend=backend, backend_url="http://127.0.0.1:8000/v1")
    assert served_model(settings) == name
