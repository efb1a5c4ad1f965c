"""Prices as they are printed."""

from __future__ import annotations

import random

CURRENCIES = ("$", "€", "£")


def price(rng: random.Random, currency: str | None = None) -> str:
    """Something between $0.10 and $19.99; `currency` fixes the sign."""
    cents = rng.randint(10, 999) if rng.random() < 0.8 else rng.randint(1000, 1999)
    if rng.random() < 0.35:
        cents = cents // 10 * 10
    return show(cents, rng.choice(CURRENCIES) if currency is None else currency)


def show(cents: int, currency: str) -> str:
    """`cents` as a price."""
    return f"{currency}{cents // 100}.{cents % 100:02d}"


def cents_of(printed: str) -> int:
    """The cents of a price."""
    return int(printed.lstrip("".join(CURRENCIES)).replace(".", ""))
