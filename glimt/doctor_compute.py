"""What `glimt doctor` looks at where answers are computed: the model, the device, its memory, the cores."""

from dataclasses import dataclass
from pathlib import Path

from core.errors import ConfigurationError, GlimtError
from core.inference.create import check_eyes as check_eyes_name
from core.inference.create import check_model as check_name
from core.inference.create import eyes_of, require_backend, try_backend
from core.inference.hub import Hub
from core.inference.machine import Fit, choose, fit
from core.inference.presets import AUTO, GIB, PRESETS, ROOM_BYTES, Preset
from core.inference.scripted import PREFIX as SCRIPTED
from core.inference.source import Source, find_here, local_model, reads_text_only
from core.settings import Settings
from core.values import Quantisation
from glimt.models import read_here

_ELSEWHERE = "not asked for here: the model runs at the backend"
_BAD = (Fit.NOT, Fit.SLOWLY)
_NO_WORKER = "torch or transformers is not installed here, so this machine runs no worker"


@dataclass(frozen=True, slots=True)
class Worry:
    """Something that works, but worse than it could."""

    says: str

    def __str__(self) -> str:
        return self.says


def check_model(settings: Settings) -> str | Worry:
    """Whether `GLIMT_MODEL` is there, and for a preset whether it fits; whether a backend answers with it."""
    if settings.backend == "openai":
        return _backend(settings)
    settings = settings.model_copy(update={"eyes": ""})
    if settings.model.startswith(SCRIPTED):
        check_name(settings)
        return f"'{settings.model}': answers are scripted, no model is loaded"
    machine = read_here(settings)
    if machine is None:
        # Where no worker runs no model needs to be; one that is there can be looked at.
        if Path(settings.model).is_dir():
            local_model(settings.model, settings.model_revision)
        return f"'{settings.model}'; {_NO_WORKER}"
    check_name(settings)
    if settings.model == AUTO:
        choice = choose(machine, settings.quantisation)
        if not choice.presets:
            raise ConfigurationError(f"auto: no preset fits: {choice.why}. `glimt models` lists them.")
        return f"auto takes {choice.presets[0].name}, {_where(choice.presets[0], settings)}: {choice.why}"
    source = _here(settings)
    if settings.model in PRESETS:
        preset = PRESETS[settings.model]
        held = fit(preset, machine, settings.quantisation)
        need = preset.need_bytes(settings.quantisation, machine.number_bytes) / GIB
        says = f"{preset.name}, {_where(preset, settings)}; needs {need:.1f} GiB; runs here on: {held}"
        return Worry(f"{says}. `glimt models` shows what suits this machine") if held in _BAD else says
    if source is None:
        return f"{settings.model} at {settings.model_revision}; a worker that starts looks for it, or fetches it"
    return f"{source.name} in {source.folder}, {source.weight_bytes >> 20} MiB of weights"


def check_eyes(settings: Settings) -> str | Worry:
    """Whether `GLIMT_EYES` is there and sees, or whether the model needs none."""
    worker = read_here(settings) is not None
    if settings.eyes:
        if worker or settings.eyes.startswith(SCRIPTED):
            check_eyes_name(settings)
        return check_model(eyes_of(settings))
    if settings.backend == "openai":
        return "none set; if the model at the backend reads text only, GLIMT_EYES names one that sees"
    if settings.model.startswith(SCRIPTED) or not worker:
        return "none set"
    source = _here_or_none(settings)
    if source is None:
        return "none set; if the model reads text only, GLIMT_EYES names one that looks at pictures for it"
    if reads_text_only(source):
        raise ConfigurationError(
            f"{source.name} reads text only (it has no preprocessor_config.json): pictures will be refused. Set "
            "GLIMT_EYES to a model that sees them, such as GLM-4.6V-Flash."
        )
    return "the model's own"


def check_device(settings: Settings) -> str:
    """What `GLIMT_DEVICE`, `GLIMT_DTYPE` and `GLIMT_QUANTISATION` come down to."""
    here = _computed_here(settings)
    if not here:
        return _ELSEWHERE
    if read_here(settings) is None:
        return "no torch here"
    from core.inference.hardware import describe_device, describe_dtype

    sources = _sources(here)
    words = [describe_device(settings.device)]
    for source in sources:
        dtype = describe_dtype(settings.dtype, settings.device, source.weight_bytes)
        words.append(dtype if len(sources) == 1 else f"{source.name} in {dtype}")
    if settings.quantisation is not Quantisation.NONE:
        words.append(f"weights as {settings.quantisation}")
    return ", ".join(words)


def check_memory(settings: Settings) -> str | Worry:
    """Whether the weights of what is computed here, and some room beside them, find place in what is free now."""
    here = _computed_here(settings)
    if not here:
        return _ELSEWHERE
    machine = read_here(settings)
    if machine is None:
        return "not asked for here: this machine runs no worker"
    free = sum(gpu.free for gpu in machine.gpus) if machine.gpus else machine.free
    says = f"{free / GIB:.1f} GiB free on the {'GPUs' if len(machine.gpus) > 1 else 'GPU' if machine.gpus else 'CPU'}"
    sources = _sources(here)
    if not sources:
        return says
    from core.inference.hardware import expected_bytes

    given = (settings.dtype, settings.device, settings.quantisation)
    need = sum(expected_bytes(source.weight_bytes, *given) + ROOM_BYTES for source in sources)
    names = " and ".join(source.name for source in sources)
    says = f"{says}; {names} {'needs' if len(sources) == 1 else 'need'} about {need / GIB:.1f}"
    if need > free:
        remedy = "free some, set GLIMT_QUANTISATION, or take a smaller model"
        return Worry(f"{says}. Unless a worker holds it already: {remedy}")
    return says


def check_cores(settings: Settings) -> str | Worry:
    """Whether the cores that this process may use are free: two threads on one free core are slower than one."""
    if not _computed_here(settings):
        return _ELSEWHERE
    if read_here(settings) is None:
        return "not asked for here: this machine runs no worker"
    from core.inference.hardware import measure_cores

    cores = measure_cores()
    says = f"{cores.free} of {cores.allowed} free ({cores.why}); that many threads compute a large model on the CPU"
    if cores.free < cores.allowed:
        return Worry(
            f"{says}. Unless it is a worker that is busy: other work on its cores slows every answer down. Move that "
            "elsewhere, or give the worker cores of its own (taskset, cpuset)"
        )
    return says


def _backend(settings: Settings) -> str:
    try:
        require_backend()
    except ConfigurationError:
        return "openai is not installed here, so this machine runs no worker"
    return try_backend(settings)


def _computed_here(settings: Settings) -> list[Settings]:
    """The settings of each model that this machine computes: the model's unless a backend has it, and the eyes'."""
    here = [] if settings.backend == "openai" else [settings]
    return [*here, eyes_of(settings)] if settings.eyes else here


def _sources(here: list[Settings]) -> list[Source]:
    """The files of those that are here."""
    loaded = [one for one in here if not one.model.startswith(SCRIPTED)]
    return [source for one in loaded if (source := _here_or_none(one)) is not None]


def _here(settings: Settings) -> Source | None:
    return find_here(settings.model, settings.model_revision, Hub.of(settings))


def _here_or_none(settings: Settings) -> Source | None:
    """For checks beside that of the model, which says what is wrong with it."""
    try:
        return None if settings.model == AUTO else _here(settings)
    except GlimtError:
        return None


def _where(preset: Preset, settings: Settings) -> str:
    hub = Hub.of(settings)
    commit = settings.model_revision or hub.pins.get(preset.hub)
    if commit is None:
        return "not fetched yet"
    here = hub.find(preset.hub, settings.model_revision) is not None
    return f"{preset.hub} at {commit[:12]}{'' if here else ', not here yet'}"
