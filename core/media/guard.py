"""The check that stands before every decoder."""

from core.errors import PictureBroken, PictureTooManyPixels
from core.media.limits import PictureLimits, spoken_pixels


def check_pixels(size: tuple[int, int], limits: PictureLimits) -> None:
    """Refuse what the header says is too much to decode, or nothing at all.

    Raises:
        PictureTooManyPixels, PictureBroken.
    """
    width, height = size
    if width < 1 or height < 1:
        raise PictureBroken(f"{width} x {height} pixels")
    if width * height > limits.max_pixels:
        raise PictureTooManyPixels(
            user_message=(
                f"This picture has {width:,} × {height:,} pixels, more than {spoken_pixels(limits.max_pixels)}. "
                "Please send a smaller version."
            )
        )
