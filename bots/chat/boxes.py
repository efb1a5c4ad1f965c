"""What an answer points out in a picture, drawn into it: numbered rectangles, each in a colour of its own."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import structlog
from PIL import Image, ImageDraw, ImageFont

from core.conversation.boxes import Box
from core.conversation.pointed_at import pointed_at
from core.errors import GlimtError
from core.media.blobs import BlobStore
from core.store.database import Store
from core.store.models import Attachment, Turn

log = structlog.get_logger(__name__)

# Easily told apart, also by the colour-blind (Okabe and Ito, 2008), each with the colour of writing on it.
_COLOURS = (
    ("#E69F00", "black"),
    ("#56B4E9", "black"),
    ("#009E73", "white"),
    ("#D55E00", "white"),
    ("#CC79A7", "black"),
    ("#0072B2", "white"),
    ("#F0E442", "black"),
)
# An answer with more of them is none that a drawing makes clearer.
MOST = 50
_LABEL_CHARS = 40
# A picture from so many turns before is hardly meant.
LOOK_BACK = 50
_JPEG_QUALITY = 90


@dataclass(frozen=True, slots=True)
class BoxedPicture:
    """A picture (PNG or JPEG bytes) with its boxes, and Markdown that says what the numbers in it mean."""

    name: str
    data: bytes
    caption: str


def boxed_picture(store: Store, blobs: BlobStore, turn: Turn) -> BoxedPicture | None:
    """The picture that the boxes of a final turn are about, with them drawn in. Synchronous.

    None where there are no boxes, where the question is about several pictures (a model does not say which of them its
    boxes are in), or where the picture cannot be read any more.
    """
    boxes = [Box(**box) for box in turn.boxes][:MOST]
    attachment = _picture_of(store, turn) if boxes else None
    if attachment is None:
        return None
    try:
        data, kind = draw_boxes(blobs.get(attachment.blob_key), boxes)
    except (GlimtError, OSError) as error:
        log.warning("boxes_not_drawn", turn=turn.id, error=type(error).__name__)
        return None
    return BoxedPicture(f"boxes.{kind}", data, caption_of(boxes))


def draw_boxes(data: bytes, boxes: Sequence[Box]) -> tuple[bytes, str]:
    """A picture of ours (`core.media`) with boxes: its bytes, and "png" or "jpg", as the picture was.

    Every box carries its number, from 1, and its label where the bundled font has its letters.
    """
    with Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "WEBP")) as opened:
        kind = "jpg" if opened.format == "JPEG" else "png"
        picture = opened.convert("RGB")
    draw = ImageDraw.Draw(picture)
    side = min(picture.size)
    line, font = max(2, side // 200), ImageFont.load_default(max(12.0, side / 32))
    for number, box in enumerate(boxes):
        colour, _ = _COLOURS[number % len(_COLOURS)]
        draw.rectangle(_corners(box, picture.size), outline=colour, width=line)
    # Labels on top of all lines.
    for number, box in enumerate(boxes):
        _label(draw, picture.size, box, number, font)
    written = io.BytesIO()
    if kind == "jpg":
        picture.save(written, "JPEG", quality=_JPEG_QUALITY)
    else:
        picture.save(written, "PNG")
    return written.getvalue(), kind


def caption_of(boxes: Sequence[Box]) -> str:
    """What the numbers mean, in Markdown: one line for each labelled box."""
    return "\n".join(f"{number}. {box.label}" for number, box in enumerate(boxes, start=1) if box.label)


def _corners(box: Box, size: tuple[int, int]) -> tuple[float, float, float, float]:
    """Left, top, right, bottom in pixels, inside of the picture."""
    width, height = size
    return box.left * (width - 1), box.top * (height - 1), box.right * (width - 1), box.bottom * (height - 1)


def _label(
    draw: ImageDraw.ImageDraw,
    size: tuple[int, int],
    box: Box,
    number: int,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    colour, ink = _COLOURS[number % len(_COLOURS)]
    text = str(number + 1)
    if box.label and _is_drawable(box.label):
        text += f" {box.label[:_LABEL_CHARS]}"
    left, top, _, _ = _corners(box, size)
    x0, y0, x1, y1 = draw.textbbox((0, 0), text, font=font)
    width, height = x1 - x0 + 6, y1 - y0 + 6
    # Above the box if there is room, and never out of the picture.
    x = min(left, max(0, size[0] - width))
    y = top - height if top >= height else top
    draw.rectangle((x, y, x + width, y + height), fill=colour)
    draw.text((x + 3 - x0, y + 3 - y0), text, font=font, fill=ink)


def _is_drawable(text: str) -> bool:
    """Whether the bundled font (Aileron) surely has these letters: it is Latin only."""
    return all(" " <= character <= "~" or "\u00a1" <= character <= "\u017e" for character in text)


def _picture_of(store: Store, turn: Turn) -> Attachment | None:
    def earlier() -> Iterator[list[Attachment]]:
        with store.read() as repositories:
            past = repositories.turns.of_conversation(turn.conversation_id, before_seq=turn.seq, limit=LOOK_BACK)
        yield from (before.attachments for before in reversed(past))

    return pointed_at(turn.attachments, earlier())
