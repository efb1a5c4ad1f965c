"""Panics of libraries in Rust, as errors of one request.

`tokenizers` panics on some texts around tokens that take white space along ("AddedVocabulary bad split"). Python sees
a `PanicException`, which is no `Exception`: it passes every handler and leaves whoever waits for the answer waiting.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from core.errors import InferenceError


@contextmanager
def panics_as_errors() -> Iterator[None]:
    """Raises InferenceError where the body panics."""
    try:
        yield
    except BaseException as error:
        # The class cannot be imported: every library in Rust makes its own.
        if type(error).__name__ != "PanicException":
            raise
        raise InferenceError(
            f"panic: {error}",
            user_message="The model cannot read this text as it stands. Please ask in other words.",
        ) from error
