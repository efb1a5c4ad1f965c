"""Which library each quantisation needs. No torch."""

import importlib.util

from core.errors import ConfigurationError
from core.inference.presets import PRESETS
from core.values import Quantisation

LIBRARIES = {
    Quantisation.INT8: "torchao",
    Quantisation.NF4: "bitsandbytes",
}


def require_library(quantisation: Quantisation, model: str = "") -> None:
    """Check that what `quantisation` needs is installed, without loading it, and that it can be done with `model`, as
    far as a name tells.

    Raises:
        ConfigurationError: it is not, or cannot; says what to do.
    """
    if model in PRESETS and not PRESETS[model].can_be(quantisation):
        raise ConfigurationError(
            f"GLIMT_QUANTISATION={quantisation}: {model} is a mixture of experts, which no library here makes smaller. "
            "Set GLIMT_QUANTISATION=none and give it more memory, or choose a model without experts."
        )
    library = LIBRARIES.get(quantisation)
    if library is not None and importlib.util.find_spec(library) is None:
        raise ConfigurationError(
            f"GLIMT_QUANTISATION={quantisation} needs {library}, which is not installed here. Install it: "
            f"pip install 'glimt[quantise]', or beside a torch of your own: pip install --no-deps {library}"
        )
