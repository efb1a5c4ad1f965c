"""`glimt models`: which models have a name here, what they need, what this machine can hold; and fetching them."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from core.errors import ConfigurationError
from core.inference.create import require_packages
from core.inference.hub import Hub
from core.inference.machine import Machine, choose, fit
from core.inference.pins import COMMIT
from core.inference.presets import AUTO, GIB, PRESETS, Preset, size
from core.inference.source import find_here, hub_name, local_model
from core.settings import Settings
from core.values import Quantisation

_KINDS = (Quantisation.NONE, Quantisation.INT8, Quantisation.NF4)
Say = Callable[[str], None]


def list_models(settings: Settings, *, as_json: bool, say: Say) -> None:
    """Print the presets, the memory that each needs, and how this machine would run it with the settings as they are.

    Raises:
        ConfigurationError: `GLIMT_DEVICE` names a device that is not here.
    """
    machine = read_here(settings)
    hub = Hub.of(settings)
    rows = [_row(preset, machine, settings, hub) for preset in PRESETS.values()]
    auto = choose(machine, settings.quantisation) if machine else None
    if as_json:
        chosen = auto.presets[0].name if auto and auto.presets else None
        say(json.dumps({"machine": asdict(machine) if machine else None, "auto": chosen, "models": rows}))
        return
    say(_table([_shown(row) for row in rows]))
    say("\nNeeds are arithmetic, in GiB: the weights, and room to answer a few people.")
    given = f"with GLIMT_QUANTISATION={settings.quantisation} and GLIMT_DEVICE={settings.device}"
    say(f"`here` says how this machine runs it {given}. * has its commit pinned here.")
    if auto is None:
        say("This installation has no worker, so nothing is known of what would compute.")
    elif auto.presets:
        say(f"\nGLIMT_MODEL=auto takes {auto.presets[0].name}: {auto.why}.")
    else:
        say(f"\nGLIMT_MODEL=auto finds nothing: {auto.why}.")


def fetch_model(settings: Settings, name: str, *, revision: str, update: bool, say: Say) -> None:
    """Fetch a preset, or a model of the hub at `revision`, and say where it is. `update` moves a preset's pin to what
    the hub shows now.

    Raises:
        ConfigurationError: no such preset, or a hub name without its commit.
        ModelLoadError: it cannot be fetched, or is no model that can be loaded.
    """
    if update and revision:
        raise ConfigurationError("--update takes what the hub shows now, and --revision one commit: give one of them.")
    if revision and not COMMIT.fullmatch(revision):
        raise ConfigurationError("--revision takes a full commit: 40 hexadecimal digits.")
    require_packages()
    if name == AUTO:
        name = _chosen(settings)
    if (source := local_model(name, revision)) is not None:
        say(f"{source.name} is a folder here already: {source.folder}")
        return
    hub = Hub.of(settings, progress=True)
    folder = hub.fetch(hub_name(name), revision, update=update)
    source = find_here(name, revision, hub)
    assert source is not None
    say(f"{name} at {folder.name}, {source.weight_bytes / GIB:.1f} GiB of weights: {folder}")


def read_here(settings: Settings) -> Machine | None:
    """What this machine has for a worker; None where none is installed."""
    try:
        require_packages()
    except ConfigurationError:
        return None
    from core.inference.hardware import read_machine

    return read_machine(settings.device, settings.dtype)


def _chosen(settings: Settings) -> str:
    machine = read_here(settings)
    assert machine is not None
    choice = choose(machine, settings.quantisation)
    if not choice.presets:
        raise ConfigurationError(f"No preset fits: {choice.why}.")
    return choice.presets[0].name


def _row(preset: Preset, machine: Machine | None, settings: Settings, hub: Hub) -> dict[str, Any]:
    return {
        "name": preset.name,
        "hub": preset.hub,
        "parameters": int(preset.parameters),
        "size": size(preset),
        "need_gib": {
            str(kind): round(preset.need_bytes(kind) / GIB, 1) if preset.can_be(kind) else None for kind in _KINDS
        },
        "licence": preset.licence,
        "languages": preset.languages,
        "good_for": preset.good_for,
        "sees": preset.sees,
        "commit": hub.pins.get(preset.hub),
        "fits": str(fit(preset, machine, settings.quantisation)) if machine else None,
    }


def _shown(row: dict[str, Any]) -> tuple[str, ...]:
    needs = ("–" if need is None else f"{need:.1f}" for need in row["need_gib"].values())
    mark = "*" if row["commit"] else ""
    return (row["name"] + mark, row["size"], *needs, row["licence"], row["fits"] or "?", row["good_for"])


def _table(rows: list[tuple[str, ...]]) -> str:
    head = ("preset", "size", "bf16", "int8", "nf4", "licence", "here", "good for")
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = []
    for row in (head, *rows):
        cells = [
            cell.rjust(width) if column in (1, 2, 3, 4) else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
