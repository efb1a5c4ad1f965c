"""The one place that chooses the engine. Imports what it chose, so that torch loads only where it is needed."""

import importlib.util
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext

import structlog

from core.errors import ConfigurationError, ModelLoadError
from core.inference.eyes.engine import EyesAndMind
from core.inference.eyes.sight import sees
from core.inference.libraries import require_library
from core.inference.port import Engine
from core.inference.scripted import PREFIX, read_script, scripted_engine
from core.inference.source import local_model, reads_text_only
from core.settings import Settings

log = structlog.get_logger(__name__)

_PACKAGES = ("torch", "transformers", "safetensors", "accelerate")
# Of the memory for caches, where eyes and mind are computed on one device: conversations grow in the mind, a look does
# not.
_PART_OF_EYES = 0.3


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
    """Check what can be told of `GLIMT_MODEL` and `GLIMT_EYES` without loading or fetching them, or asking a backend.

    Raises:
        ConfigurationError: a name is wrong, the eyes cannot see, or this installation has no worker.
        ModelLoadError: there is a folder, but not with a model that can be loaded.
    """
    _check(settings)
    if settings.eyes:
        check_eyes(settings)


def check_eyes(settings: Settings) -> None:
    """`check_model` for `GLIMT_EYES` alone. Errors as there."""
    with _about_the_eyes():
        eyes = eyes_of(settings)
        _check(eyes)
        if not eyes.model.startswith(PREFIX):
            source = local_model(eyes.model, eyes.model_revision)
            if source is not None and reads_text_only(source):
                raise _blind(settings)


def create_engine(settings: Settings, patience_s: float = 0.0) -> Engine:
    """Load the model that `GLIMT_MODEL` names, and its eyes, and start its engine. Takes seconds to minutes; blocks.

    A backend that is not up yet is waited for, up to `patience_s` seconds.

    Raises:
        ConfigurationError: a name or another setting is wrong, the eyes cannot see, or this installation has no worker.
        ModelLoadError: a model is there but cannot be loaded.
        InferenceError: the backend is not up, or could not be tried out.
    """
    if not settings.eyes:
        (engine,) = _start([settings], patience_s)
        if not sees(engine):
            log.warning("model_reads_text_only", model=engine.model_name, hint="GLIMT_EYES names eyes for it")
        return engine
    check_eyes(settings)
    eyes, mind = _start([eyes_of(settings), settings], patience_s)
    if not sees(eyes):
        eyes.close()
        mind.close()
        raise _blind(settings)
    log.info("eyes_and_mind", eyes=eyes.model_name, mind=mind.model_name)
    return EyesAndMind(eyes, mind)


def eyes_of(settings: Settings) -> Settings:
    """The settings for the eyes alone, as if they were the model. They are always computed here."""
    alone = {"model": settings.eyes, "model_revision": settings.eyes_revision, "eyes": "", "context_tokens": 0}
    return settings.model_copy(update={**alone, "backend": "transformers"})


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


def _check(settings: Settings) -> None:
    if settings.backend == "openai":
        require_backend()
    elif settings.model.startswith(PREFIX):
        read_script(settings.model)
    else:
        require_packages()
        require_library(settings.quantisation, settings.model)
        local_model(settings.model, settings.model_revision)


def _start(wanted: Sequence[Settings], patience_s: float) -> list[Engine]:
    """An engine for each; of two the first are the eyes.

    All weights are loaded before any cache is cut from the memory that is left.
    """
    here = [settings for settings in wanted if _computes(settings)]
    make = iter(_start_here(here, eyes=wanted[0] if len(wanted) > 1 else None))
    engines: list[Engine] = []
    try:
        for settings in wanted:
            engines.append(next(make) if settings in here else _connect(settings, patience_s))
    except BaseException:
        for engine in [*engines, *make]:
            engine.close()
        raise
    return engines


def _computes(settings: Settings) -> bool:
    """Whether a model is loaded into this process."""
    return settings.backend == "transformers" and not settings.model.startswith(PREFIX)


def _connect(settings: Settings, patience_s: float) -> Engine:
    if settings.backend == "transformers":
        return scripted_engine(settings.model)
    require_backend()
    from core.inference.openai_backend.engine import OpenAIEngine

    return OpenAIEngine.connect(settings, patience_s)


def _start_here(wanted: Sequence[Settings], eyes: Settings | None) -> list[Engine]:
    if not wanted:
        return []
    require_packages()
    from core.inference.engine import TransformersEngine
    from core.inference.loader import load_models
    from core.inference.sharing import FairLock

    models = load_models(wanted, lambda one: _about_the_eyes() if one is eyes else nullcontext())
    cores = FairLock() if len(models) > 1 and models[0].device.type == "cpu" else None
    parts = [_PART_OF_EYES, 1 - _PART_OF_EYES] if len(models) > 1 else [1.0]
    engines: list[TransformersEngine] = []
    try:
        for loaded, settings, part in zip(models, wanted, parts, strict=True):
            engines.append(TransformersEngine.around(loaded, settings, part, cores))
    except BaseException:
        for engine in engines:
            engine.close()
        raise
    # Only now: time and memory are measured while an engine is made, and nobody else may compute meanwhile.
    for engine in engines:
        engine.warm_up()
    return [*engines]


@contextmanager
def _about_the_eyes() -> Iterator[None]:
    """Errors inside name the settings of the eyes: what is wrong with them is said of the model's elsewhere."""
    try:
        yield
    except (ConfigurationError, ModelLoadError) as error:
        raise type(error)(str(error).replace("GLIMT_MODEL", "GLIMT_EYES")) from error


def _blind(settings: Settings) -> ConfigurationError:
    return ConfigurationError(
        f"GLIMT_EYES={settings.eyes!r} reads text only, so it cannot look at pictures for another model. Name a model "
        "that sees, or leave GLIMT_EYES empty."
    )
