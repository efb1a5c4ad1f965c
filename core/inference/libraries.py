"""Which library each quantisation needs. No torch."""

import importlib.util

from core.errors import ConfigurationError
from core.values import Quantisation

LIBRARIES = {
    Quantisation.INT8: "torchao",
    Quantisation.NF4: "bitsandbytes",
}


def require_library(quantisation: Quantisation) -> None:
    """Check that what `quantisation` needs is installed, without loading it.

    Raises:
        ConfigurationError: it is not; says what to install.
    """
    library = LIBRARIES.get(quantisation)
    if library is not None and importlib.util.find_spec(library) is None:
        raise ConfigurationError(
            f"GLIMT_QUANTISATION={quantisation} needs {library}, which is not installed here. Install it: "
            f"pip install 'glimt[quantise]', or beside a torch of your own: pip install --no-deps {library}"
        )
