"""The name under which the served model is known to clients."""

from pathlib import PurePath

from core.settings import Settings


def served_model(settings: Settings) -> str:
    """`GLIMT_MODEL`, without the folders before it if it is one: where a model lies is nobody else's business.

    Where it is left to a backend, which names its only model itself, clients call that "glimt".
    """
    if settings.backend == "openai" and settings.model in ("demo", "auto"):
        return "glimt"
    name = settings.model.partition("?")[0]
    if name.startswith((".", "~", "/")) or "\\" in name:
        return PurePath(name.replace("\\", "/")).name or "model"
    return name
