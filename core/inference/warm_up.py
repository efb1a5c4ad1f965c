"""Small questions that an engine asks itself once its model is loaded.

Whoever computes first pays for what libraries put off: kernels that are chosen or compiled, threads that start, tables
that are filled. The first person should not be that one.
"""

import io
from hashlib import sha256

from PIL import Image

from core.inference.port import Message, Picture, Request, Sampling

_SIDE = 64
# The second token is the first that comes out of a step of its own.
_TOKENS = 2


def warm_up_requests(*, sees: bool) -> list[Request]:
    """A question without a picture and, for a model that `sees`, one with. Nothing of them is kept."""
    questions = [("warm-up", Message("user", "Hello"))]
    if sees:
        questions.append(("warm-up-picture", Message("user", "What is this?", (_grey(),))))
    return [Request(id, (message,), Sampling(max_new_tokens=_TOKENS)) for id, message in questions]


def _grey() -> Picture:
    file = io.BytesIO()
    Image.new("RGB", (_SIDE, _SIDE), "grey").save(file, "PNG")
    return Picture(sha256(file.getvalue()).hexdigest(), file.getvalue(), _SIDE, _SIDE)
