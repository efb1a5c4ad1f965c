"""Whether an engine takes pictures."""

from core.errors import NoEyes
from core.inference.port import Engine, Message, Picture

_ANY = Message("user", "", (Picture("", b"", 56, 56),))


def sees(engine: Engine) -> bool:
    """False if the engine says of a picture that its model reads text only. Nothing is computed."""
    try:
        engine.count_tokens(_ANY)
    except NoEyes:
        return False
    return True
