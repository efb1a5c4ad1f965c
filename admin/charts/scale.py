"""Axes: ticks that people can read, and numbers as they stand beside them."""

import math
from collections.abc import Callable

Format = Callable[[float], str]
# Steps of durations beyond a minute, in seconds.
_LONG = (60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800, 43200, 86400, 172800, 432000, 864000, 1728000)


def ticks(top: float, *, most: int = 5, whole: bool = False) -> list[float]:
    """From 0 in even steps up to the first one that is not below `top`; `whole`: whole numbers only."""
    step = _step(max(top, 1.0 if whole else 1e-9) / most)
    if whole:
        step = 5.0 if step == 2.5 else max(1.0, step)
    return _up_to(step, top)


def time_ticks(top: float, *, most: int = 5) -> list[float]:
    """The same of seconds: beyond two minutes in whole minutes, hours and days."""
    if top <= 120:
        return ticks(top, most=most)
    return _up_to(next((float(step) for step in _LONG if step * most >= top), _step(top / most)), top)


def short_count(value: float) -> str:
    """1250 as 1.3k: three digits at most."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size * 0.9995:
            part = value / size
            return f"{part:.3g}{letter}" if part < 999.5 else f"{part:.0f}{letter}"
    return f"{value:.3g}" if value % 1 else f"{value:.0f}"


def short_time(seconds: float) -> str:
    """A duration in its largest unit, such as 1.5 min."""
    for size, unit in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if seconds >= (size if size > 60 else 120):
            return f"{seconds / size:.3g} {unit}"
    return "0" if seconds == 0 else f"{seconds:.3g} s" if seconds >= 0.1 else f"{seconds * 1000:.3g} ms"


def _step(least: float) -> float:
    """The smallest of 1, 2, 2.5 and 5 times a power of ten that is not below `least`."""
    power: float = 10.0 ** math.floor(math.log10(least))
    return next(power * part for part in (1, 2, 2.5, 5, 10) if power * part >= least * (1 - 1e-9))


def _up_to(step: float, top: float) -> list[float]:
    count = max(1, math.ceil(top / step - 1e-9))
    # No 0.30000000000000004.
    return [float(f"{step * n:.10g}") for n in range(count + 1)]
