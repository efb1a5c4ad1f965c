"""Presets: what they say of themselves, what fits a machine, and what `auto` takes."""

import re

import pytest

from core.inference.machine import Fit, Gpu, Machine, choose, fit
from core.inference.presets import GIB, PRESETS, Preset, markdown_table, size
from core.values import Quantisation
from tests.deploy.files import ROOT

NONE, INT8, NF4 = Quantisation.NONE, Quantisation.INT8, Quantisation.NF4


def gpu(free: float, total: float = 80) -> Gpu:
    return Gpu("a GPU", int(free * GIB), int(total * GIB))


def with_gpus(*free: float) -> Machine:
    return Machine(tuple(map(gpu, free)), 16, 64 * GIB, 64 * GIB)


def without(cores: int, free: float, number_bytes: int = 2) -> Machine:
    return Machine((), cores, int(free * GIB), 256 * GIB, number_bytes)


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda preset: preset.name)
def test_a_preset_is_plausible(preset: Preset) -> None:
    assert re.fullmatch(r"[a-z0-9.-]+", preset.name)
    assert re.fullmatch(r"[\w.-]+/[\w.-]+", preset.hub)
    assert 0 <= preset.quantisable < preset.parameters
    assert preset.need_bytes(NONE) > 2 * preset.parameters
    if preset.can_be(INT8):
        assert preset.need_bytes(NF4) < preset.need_bytes(INT8) < preset.need_bytes(NONE) < preset.need_bytes(NONE, 4)
    if preset.rank:
        assert preset.sees


def test_names_and_ranks_are_each_given_once() -> None:
    ranks = [preset.rank for preset in PRESETS.values() if preset.rank]
    assert len(set(ranks)) == len(ranks)
    assert len({preset.hub for preset in PRESETS.values()}) == len(PRESETS)


def test_readme_shows_the_presets_as_they_are() -> None:
    assert markdown_table() in (ROOT / "README.md").read_text()


def test_sizes_for_people() -> None:
    assert [size(PRESETS[name]) for name in ("smolvlm-256m", "qwen3-vl-2b", "glm-4.6v")] == ["256 M", "2.1 B", "106 B"]


@pytest.mark.parametrize(
    ("machine", "quantisation", "chosen"),
    [
        (without(1, 8), NONE, "smolvlm-256m"),
        (without(2, 8), NONE, "smolvlm-500m"),
        (without(2, 8, number_bytes=4), NONE, "smolvlm-256m"),
        (without(8, 16), NONE, "qwen3-vl-2b"),
        (without(8, 4), NONE, "smolvlm-500m"),
        (without(64, 256), NONE, "glm-4.6v-flash"),
        (with_gpus(7), NONE, "qwen3-vl-2b"),
        (with_gpus(12), NONE, "qwen3-vl-4b"),
        (with_gpus(23.6), NONE, "glm-4.6v-flash"),
        (with_gpus(12), NF4, "glm-4.6v-flash"),
        (with_gpus(2.5, 30), NONE, "glm-4.6v-flash"),
        (with_gpus(79, 79, 79, 79), NONE, "glm-4.6v"),
        # What a model cannot be is not chosen.
        (with_gpus(79, 79, 79, 79), INT8, "glm-4.6v-flash"),
    ],
)
def test_auto_takes_the_best_that_fits(machine: Machine, quantisation: Quantisation, chosen: str) -> None:
    choice = choose(machine, quantisation)
    assert choice.presets[0].name == chosen
    assert machine.describe() in choice.why
    assert f"{chosen} needs" in choice.why


def test_auto_says_what_would_have_been_better_and_how() -> None:
    why = choose(with_gpus(12), NONE).why
    assert "glm-4.6v-flash needs 22.1 GiB, but would fit with GLIMT_QUANTISATION=nf4" in why
    assert "qwen3-vl-2b would fit but is too slow for 2 cores" in choose(without(2, 64), NONE).why


def test_a_slow_model_is_taken_only_where_no_other_fits() -> None:
    choice = choose(without(1, 64, number_bytes=4), NONE)
    assert choice.presets[0].name == "smolvlm-256m"
    assert fit(choice.presets[0], without(1, 64, number_bytes=4), NONE) is Fit.SLOWLY


def test_nothing_fits() -> None:
    choice = choose(without(4, 0.5), NONE)
    assert choice.presets == ()
    assert "smolvlm-256m needs 1.5 GiB" in choice.why


def test_a_model_for_one_purpose_is_never_chosen() -> None:
    chosen = {preset.name for preset in choose(with_gpus(79, 79, 79, 79), NONE).presets}
    assert chosen.isdisjoint({"glm-ocr", "glm-4.7-flash", "glm-4.1v-thinking"})


def test_how_a_machine_holds_a_model() -> None:
    flash = PRESETS["glm-4.6v-flash"]
    assert fit(flash, with_gpus(30), NONE) is Fit.GPU
    assert fit(flash, with_gpus(16, 16), NONE) is Fit.GPUS
    assert fit(flash, with_gpus(8), NONE) is Fit.NOT
    assert fit(flash, without(2, 64), NONE) is Fit.SLOWLY
    assert fit(flash, without(48, 64), NONE) is Fit.CPU
    assert fit(PRESETS["glm-4.7-flash"], with_gpus(79), INT8) is Fit.NOT
    # A mixture of experts computes with a few of them.
    assert fit(PRESETS["glm-4.7-flash"], without(16, 128), NONE) is Fit.CPU
