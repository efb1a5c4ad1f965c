"""The one place that chooses the engine. Imports what it chose, so that torch loads only where it is needed."""

from core.inference.port import Engine
from core.settings import Settings


def create_engine(settings: Settings) -> Engine:
    """Load the model that `GLIMT_MODEL` names and start its engine. Takes seconds to minutes; blocks.

    Raises:
        ConfigurationError: the name or another setting is wrong.
        ModelLoadError: the model is there but cannot be loaded.
    """
    from core.inference.scripted import PREFIX, scripted_engine

    if settings.model.startswith(PREFIX):
        return scripted_engine(settings.model)

    from core.inference.engine import TransformersEngine

    return TransformersEngine.load(settings)
