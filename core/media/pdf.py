"""The pages of a PDF as pictures, through PDFium. Runs in a reader process: PDFium knows no bound on work or memory.

This build of PDFium has neither JavaScript nor XFA; actions, links and attachments are never followed.
"""

import math
from collections.abc import Iterator
from contextlib import closing

import pypdfium2
from PIL import Image
from pypdfium2 import raw

from core.errors import PictureBroken, PictureLocked, TooManyPages
from core.media.fit import kept_size
from core.media.limits import PictureLimits

# 288 dpi: beyond it a small page gains no letters.
_MAX_SCALE = 4.0
# A truncated file has lost its end; what PDFium makes up in its place would be pages missing in silence.
_END = b"%%EOF"
_END_WITHIN = 1024


def open_pages(data: bytes, limits: PictureLimits) -> Iterator[Image.Image]:
    """Each page as RGB on white, with filled-in form fields; at most `keep_pixels` large whatever the page box says.

    Raises:
        PictureLocked, TooManyPages: before anything was rendered.
        PictureBroken: truncated, no page, or a page without a size.
        Exception: whatever PDFium meets in broken bytes.
    """
    if _END not in data.rstrip(b"\0\r\n\t ")[-_END_WITHIN:]:
        raise PictureBroken("the PDF has no end")
    with closing(_open(data)) as document:
        pages = len(document)
        if pages < 1:
            raise _without_pages()
        if pages > limits.max_pages:
            raise TooManyPages(
                user_message=(
                    f"This PDF has {pages} pages, more than {limits.max_pages}. Please send only the pages that matter."
                )
            )
        document.init_forms()
        for number in range(pages):
            yield _render(document, number, limits)


def _open(data: bytes) -> pypdfium2.PdfDocument:
    try:
        return pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if error.err_code in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY):
            raise PictureLocked from error
        if error.err_code == raw.FPDF_ERR_SUCCESS:
            # What PDFium says of a document that it understands and that has nothing in it.
            raise _without_pages() from error
        raise


def _without_pages() -> PictureBroken:
    return PictureBroken("no pages", user_message="This PDF has no pages. Please check the file.")


def _render(document: pypdfium2.PdfDocument, number: int, limits: PictureLimits) -> Image.Image:
    width, height = document.get_page_size(number)
    if not (math.isfinite(width) and math.isfinite(height) and width > 0 and height > 0):
        raise PictureBroken(f"page {number} is {width} x {height} points large")
    # The size in pixels at the highest resolution, then as much less as the limits ask.
    full = (math.ceil(width * _MAX_SCALE), math.ceil(height * _MAX_SCALE))
    scale = _MAX_SCALE * min(
        kept / whole for kept, whole in zip(kept_size(full, limits.keep_pixels), full, strict=True)
    )
    with closing(document[number]) as page, closing(page.render(scale=scale)) as bitmap:
        # A copy, because the buffer goes away with the bitmap.
        image: Image.Image = bitmap.to_pil().convert("RGB").copy()
        return image
