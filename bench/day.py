"""What a scripted day of every platform shares: pictures, patience, and how it ends."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import pillow_heif
from PIL import Image

from core.store.models import Feedback
from tests.processes import Installation

PATIENCE_S = 180.0
SAMPLE = Path(__file__).parents[1] / "core" / "inference" / "demo" / "sample.png"


def plain(colour: str) -> bytes:
    """A PNG of one colour."""
    out = BytesIO()
    Image.new("RGB", (96, 96), colour).save(out, "PNG")
    return out.getvalue()


def heic() -> bytes:
    """A green picture as telephones take them."""
    out = BytesIO()
    pillow_heif.from_pillow(Image.new("RGB", (96, 96), "green")).save(out, quality=60)
    return out.getvalue()


def ratings(at: Installation) -> int:
    """How many verdicts are kept."""
    with at.store.read() as repositories:
        return repositories.session.query(Feedback).count()


def counted(numbers: Sequence[int]) -> int:
    """Print how often the questions were answered; 0: each was answered exactly once."""
    asked, answered = len(numbers), sum(n > 0 for n in numbers)
    lost, doubled = numbers.count(0), sum(n > 1 for n in numbers)
    print(f"{asked} asked, {answered} answered, {lost} lost, {doubled} doubled")
    return 0 if answered == asked and not doubled else 1
