"""The one place that chooses the engine. Imports what it chose, so that torch loads only where it is needed."""

import importlib.util

from core.errors import ConfigurationError
from core.inference.port import Engine
from core.settings import Settings

_PACKAGES = ("torch", "transformers", "safetensors", "accelerate")


def require_packages() -> None:
    """Check that what loads a model is installed, without loading it.

    Raises:
        ConfigurationError: it is not, as where only the bots run; says what to install.
    """
    if missing := [name for name in _PACKAGES if importlib.util.find_spec(name) is None]:
        raise ConfigurationError(
            f"This installation has no worker (not installed: {', '.join(missing)}). "
            "Install it: pip install 'glimt[worker]', or in a checkout: make venv"
        )


def require_backend() -> None:
    """Check that what asks a server is installed, without loading it.

    Raises:
        ConfigurationError: it is not; says what to install.
    """
    if importlib.util.find_spec("openai") is None:
        raise ConfigurationError(
            "GLIMT_BACKEND=openai needs the package openai, which is not installed. "
            "Install it: pip install 'glimt[openai]', or in a checkout: make venv"
        )


def check_model(settings: Settings) -> None:
    """Check what can be told of `GLIMT_MODEL` without loading or fetching it, or asking a backend for it.

    Raises:
        ConfigurationError: the name is wrong, or this installation has no worker.
        ModelLoadError: there is a folder, but not with a model that can be loaded.
    """
    from core.inference.libraries import require_library
    from core.inference.scripted import PREFIX, read_script
    from core.inference.source import local_model

    if settings.backend == "openai":
        require_backend()
        return
    if settings.model.startswith(PREFIX):
        read_script(settings.model)
        return
    require_packages()
    require_library(settings.quantisation)
    local_model(settings.model, settings.model_revision)


def create_engine(settings: Settings, patience_s: float = 0.0) -> Engine:
    """Load the model that `GLIMT_MODEL` names and start its engine. Takes seconds to minutes; blocks.

    A backend that is not up yet is waited for, up to `patience_s` seconds.

    Raises:
        ConfigurationError: the name or another setting is wrong, or this installation has no worker.
        ModelLoadError: the model is there but cannot be loaded.
        InferenceError: the backend is not up, or could not be tried out.
    """
    from core.inference.scripted import PREFIX, scripted_engine

    if settings.backend == "openai":
        require_backend()
        from core.inference.openai_backend.engine import OpenAIEngine

        return OpenAIEngine.connect(settings, patience_s)

    if settings.model.startswith(PREFIX):
        return scripted_engine(settings.model)

    require_packages()
    from core.inference.engine import TransformersEngine

    return TransformersEngine.load(settings)


def try_backend(settings: Settings) -> str:
    """Have the server behind `GLIMT_BACKEND_URL` answer one token. Returns what can be said of it; blocks.

    Raises:
        ConfigurationError: it does not accept the key or does not serve the model, or its package is missing.
        InferenceError: it is not up, or does not answer.
    """
    require_backend()
    from core.inference.openai_backend.engine import OpenAIEngine

    engine = OpenAIEngine.connect(settings)
    try:
        return engine.try_out()
    finally:
        engine.close()
