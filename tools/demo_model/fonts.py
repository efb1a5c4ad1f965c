"""The typefaces that scenes are printed in: all come by pip (OFL), one with Pillow.

They belong to the development packages; without them no scene with text can be drawn.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

from PIL import ImageFont

PILLOW = "pillow"

# Package and file. Hanken Grotesk is kept for unseen scenes.
FACES = (
    PILLOW,
    "font_source_sans_pro/SourceSansPro-Regular.ttf",
    "font_source_sans_pro/SourceSansPro-Bold.ttf",
    "font_source_serif_pro/SourceSerifPro-Regular.ttf",
    "font_source_serif_pro/SourceSerifPro-Bold.ttf",
    "font_fredoka_one/FredokaOne-Regular.ttf",
    "font_manrope/Manrope-Medium.ttf",
    "font_manrope/Manrope-Bold.ttf",
)
UNSEEN_FACES = ("font_hanken_grotesk/HankenGrotesk-Regular.otf", "font_hanken_grotesk/HankenGrotesk-Bold.otf")

Font = ImageFont.FreeTypeFont


@lru_cache(maxsize=2000)
def font(face: str, size: int) -> Font:
    """`face` at `size` pixels. Raises ModuleNotFoundError, which names the package, where it is not installed."""
    if face == PILLOW:
        found = ImageFont.load_default(size)
        assert isinstance(found, ImageFont.FreeTypeFont)
        return found
    package, _, name = face.partition("/")
    return ImageFont.truetype(str(files(package) / "files" / name), size)


@lru_cache(maxsize=200_000)
def advance(face: str, size: int, character: str) -> float:
    """How far `character` moves the pen, in pixels."""
    return font(face, size).getlength(character)
