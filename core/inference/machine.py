"""What a machine has, which presets it can hold, and which of them `auto` takes. Arithmetic alone; no torch."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.inference.placement import few_that_hold
from core.inference.presets import GIB, PRESETS, Preset
from core.values import Quantisation

# Billions of parameters in a token's computation that one core can carry. *Measured* on two cores with bfloat16
# instructions: 0.12 a core gave one answer of 64 tokens in 2.3 s (engine bench, one by one); so about 6 s here.
CARRIED_BY_CORE = 0.3e9
_WITHOUT_BF16 = 0.5


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU; memory in bytes."""

    name: str
    free: int
    total: int


@dataclass(frozen=True, slots=True)
class Machine:
    """What may be used of a machine: `gpus` (none: computing is done on the CPU), cores, and memory in bytes.

    `number_bytes`: of one number of a model that is not quantised, on whichever of the two it would run.
    """

    gpus: tuple[Gpu, ...]
    cores: int
    free: int
    total: int
    number_bytes: int = 2

    def describe(self) -> str:
        """In words."""
        gpus = [f"{gpu.name} with {gpu.free / GIB:.1f} of {gpu.total / GIB:.1f} GiB free" for gpu in self.gpus]
        kind = {2: "16", 4: "32"}.get(self.number_bytes, str(8 * self.number_bytes))
        own = f"{self.cores} cores, {self.free / GIB:.1f} of {self.total / GIB:.1f} GiB of memory free"
        return ", ".join([*gpus, own, f"numbers of {kind} bits"])


class Fit(StrEnum):
    """How a machine holds a model."""

    GPU = "one GPU"
    GPUS = "several GPUs"
    CPU = "CPU"
    SLOWLY = "CPU, slowly"
    NOT = "no"


def fit(preset: Preset, machine: Machine, quantisation: Quantisation) -> Fit:
    """How `machine` would run `preset`."""
    if not preset.can_be(quantisation):
        return Fit.NOT
    need = preset.need_bytes(quantisation, machine.number_bytes)
    if machine.gpus:
        held = few_that_hold(need, [gpu.free for gpu in machine.gpus])
        return Fit.NOT if held is None else Fit.GPU if len(held) == 1 else Fit.GPUS
    if need > machine.free:
        return Fit.NOT
    carried = machine.cores * CARRIED_BY_CORE * (1.0 if machine.number_bytes == 2 else _WITHOUT_BF16)
    return Fit.CPU if preset.computed <= carried else Fit.SLOWLY


@dataclass(frozen=True, slots=True)
class Choice:
    """What `auto` comes down to: presets that fit, the best one first, and why it is that one."""

    presets: tuple[Preset, ...]
    why: str


def choose(machine: Machine, quantisation: Quantisation, presets: Iterable[Preset] = PRESETS.values()) -> Choice:
    """The presets for every question that suit `machine`, best first; none where not even the smallest fits.

    Those that a CPU would run slowly come last, and smallest first: they are taken only where there is no other. A
    mixture of experts is hundreds of GiB to fetch for a CPU: it is not taken unasked.
    """
    unasked = (preset for preset in presets if preset.rank and (machine.gpus or not preset.active))
    ranked = sorted(unasked, key=lambda preset: -preset.rank)
    fits = {preset.name: fit(preset, machine, quantisation) for preset in ranked}
    good = [preset for preset in ranked if fits[preset.name] not in (Fit.NOT, Fit.SLOWLY)]
    slow = [preset for preset in reversed(ranked) if fits[preset.name] is Fit.SLOWLY]
    chosen = (*good, *slow)
    reasons = [f"this machine has {machine.describe()}"]
    if chosen:
        need = chosen[0].need_bytes(quantisation, machine.number_bytes) / GIB
        reasons.append(f"{chosen[0].name} needs {need:.1f} GiB and runs on: {fits[chosen[0].name]}")
    better = [preset for preset in ranked if not chosen or preset.rank > chosen[0].rank]
    reasons += [_missed(preset, machine, quantisation, fits[preset.name]) for preset in reversed(better)]
    return Choice(chosen, "; ".join(reasons))


def _missed(preset: Preset, machine: Machine, quantisation: Quantisation, found: Fit) -> str:
    if found is Fit.SLOWLY:
        return f"{preset.name} would fit but is too slow for {machine.cores} cores"
    need = preset.need_bytes(quantisation, machine.number_bytes) / GIB
    smaller = next((kind for kind in _SMALLER if fit(preset, machine, kind) in (Fit.GPU, Fit.GPUS, Fit.CPU)), None)
    hint = f", but would fit with GLIMT_QUANTISATION={smaller}" if smaller and smaller != quantisation else ""
    return f"{preset.name} needs {need:.1f} GiB{hint}"


_SMALLER: Sequence[Quantisation] = (Quantisation.INT8, Quantisation.NF4)
