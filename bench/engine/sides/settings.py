"""The settings of sides that run in our own environment."""

from typing import Any

from core.settings import Settings, load_settings
from glimt.logs import set_up_logs


def side_settings(options: dict[str, Any]) -> Settings:
    """What is configured, but for what every side must have alike."""
    settings = load_settings(
        _env_file=options["env_file"],
        model=options["model"],
        model_revision="",
        device=options["device"],
        dtype=options["dtype"],
        context_tokens=0,
        cache_mb=options["cache_mb"],
        worker_slots=options["most_at_once"],
        log_level="WARNING",
    )
    set_up_logs(settings)
    return settings
