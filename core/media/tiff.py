"""What only TIFF files have: pages, and colours in planes. Runs in a reader process."""

from contextlib import suppress
from itertools import count

from PIL.TiffImagePlugin import BITSPERSAMPLE, PHOTOMETRIC_INTERPRETATION, PLANAR_CONFIGURATION, TiffImageFile

from core.errors import PictureFormatNotAllowed, TooManyPages
from core.media.limits import PictureLimits

_NEW_SUBFILE_TYPE = 254
# Bits of it: a smaller version of a page, and a mask that says which of a page's pixels count.
_NO_PAGE = 0b101
_IN_PLANES = 2
_WHITE_IS_ZERO = 0


def page_numbers(image: TiffImageFile, limits: PictureLimits) -> list[int]:
    """Which frames of the file are its pages; always one at least. Leaves `image` at its first frame.

    Raises:
        TooManyPages: nothing was decoded.
        Exception: whatever Pillow meets in broken bytes.
    """
    pages: list[int] = []
    for number in count():
        try:
            # Pillow knows no masks. A page that it does not know either is found when it is to be decoded.
            with suppress(SyntaxError):
                image.seek(number)
        except EOFError:
            break
        if not image.tag_v2.get(_NEW_SUBFILE_TYPE, 0) & _NO_PAGE:
            pages.append(number)
        if len(pages) > limits.max_pages:
            raise TooManyPages(
                user_message=(
                    f"This TIFF has more than {limits.max_pages} pages. Please send only the pages that matter."
                )
            )
    image.seek(0)
    return pages or [0]


def check_planes(image: TiffImageFile) -> None:
    """Refuse a frame whose planes Pillow puts together wrongly, without a word.

    Raises:
        PictureFormatNotAllowed: planes of other than 8 bits, or of white as zero, that are not compressed.
    """
    tags = image.tag_v2
    if tags.get(PLANAR_CONFIGURATION) != _IN_PLANES or image.info["compression"] != "raw":
        return
    if set(tags.get(BITSPERSAMPLE, (1,))) != {8} or tags.get(PHOTOMETRIC_INTERPRETATION) == _WHITE_IS_ZERO:
        raise PictureFormatNotAllowed(
            user_message=(
                "This TIFF keeps its colours in separate planes in a way that is not supported. "
                "Please send it as JPEG or PNG."
            )
        )
