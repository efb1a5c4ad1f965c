"""Observations as a turn's row and its stream hold them: `{"picture": key, "model": name, "text": …}`."""

from typing import Any

from core.inference.port import Observation
from core.store.models import Turn


def as_stored(observation: Observation) -> dict[str, Any]:
    """The JSON object of one observation."""
    # PostgreSQL has no place for U+0000, and nobody can see it.
    text = observation.text.replace("\0", "")
    return {"picture": observation.picture, "model": observation.model, "text": text}


def observations_of(turn: Turn) -> tuple[Observation, ...]:
    """What the eyes saw when this turn was answered."""
    return tuple(Observation(seen["picture"], seen["model"], seen["text"]) for seen in turn.observations or ())
