"""Which model is loaded: what `GLIMT_MODEL` names, or for `auto` what suits the machine."""

import structlog

from core.errors import ConfigurationError, HubUnreachable
from core.inference.hardware import read_machine
from core.inference.hub import Hub, bring
from core.inference.libraries import require_library
from core.inference.machine import Choice, Machine, choose
from core.inference.presets import AUTO, GIB, Preset
from core.inference.source import Source, find_here, find_model
from core.settings import Settings
from core.values import Quantisation

log = structlog.get_logger(__name__)


def select_model(settings: Settings, hub: Hub) -> Source:
    """The files of the model to load, fetched from `hub` if need be.

    `auto` says in the log what it took and why. Where the hub cannot be reached it takes the best model that fits and
    is here; it never falls back on the demo model, which would answer without knowing anything.

    Raises:
        ConfigurationError: nothing fits, the name is wrong, or it cannot be quantised as the settings ask for.
        HubUnreachable: what fits is not here, and the hub does not answer.
        ModelLoadError: as `find_model`.
    """
    # Before tens of GiB are fetched for nothing.
    require_library(settings.quantisation, settings.model)
    if settings.model != AUTO:
        return find_model(settings.model, settings.model_revision, hub)
    if settings.model_revision:
        raise ConfigurationError("GLIMT_MODEL=auto takes no GLIMT_MODEL_REVISION: presets have their own pins.")
    return best_of(read_machine(settings.device, settings.dtype), settings.quantisation, hub)


def best_of(machine: Machine, quantisation: Quantisation, hub: Hub) -> Source:
    """What `auto` takes on `machine`. Errors as in `select_model`."""
    choice = choose(machine, quantisation)
    if not choice.presets:
        raise ConfigurationError(
            f"GLIMT_MODEL=auto: no preset fits: {choice.why}. Free memory, choose another GLIMT_DEVICE or "
            "GLIMT_QUANTISATION, or name a model yourself (`glimt models` lists them)."
        )
    best = choice.presets[0]
    try:
        source = find_model(best.name, "", hub)
    except HubUnreachable as error:
        return _second_best(choice, hub, error)
    log.info("model_chosen", model=best.name, why=choice.why)
    return source


def _second_best(choice: Choice, hub: Hub, error: HubUnreachable) -> Source:
    best, *others = choice.presets
    for preset in others:
        if (source := find_here(preset.name, "", hub)) is not None:
            why = f"{choice.why}; but {best.name} is not here and the hub cannot be reached"
            log.warning("model_chosen", model=preset.name, why=why)
            return source
    raise HubUnreachable(
        f"GLIMT_MODEL=auto: the hub cannot be reached, and no model that fits is here. These would fit: "
        f"{', '.join(map(_download, choice.presets))}. {bring(best.hub)} (Why {best.name}: {choice.why}.)"
    ) from error


def _download(preset: Preset) -> str:
    return f"{preset.name} ({preset.hub}, {preset.parameters * 2 / GIB:.1f} GiB to fetch)"
