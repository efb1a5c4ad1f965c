"""Thousands of damaged files of every format: nothing comes out but pictures and typed refusals, and nobody dies."""

import random

import pytest
from PIL import Image

from core.errors import PictureError
from core.media.pictures import read_pictures
from core.media.reader import Reader
from core.media.sniff import sniff
from tests.unit.media.corpus import LIMITS, one_of_each, pages, quarters, saved

EACH = 160
# Values at which lengths, counts and offsets break.
EDGES = (b"\0", b"\xff", b"\x7f", b"\x80", b"\0\0", b"\xff\xff", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0")


def mutated(data: bytes, chance: random.Random) -> bytes:
    """`data` with one to six injuries; its first bytes mostly stay, so that decoders get to see it."""
    out = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 3, 6))):
        # Headers lie at the front of most formats and at the back of some: half of all hits go there.
        span = chance.choice((len(out), min(len(out), 200)))
        at = chance.choice((chance.randrange(span), len(out) - 1 - chance.randrange(span)))
        match chance.randrange(7):
            case 0:
                out[at] ^= 1 << chance.randrange(8)
            case 1:
                out[at] = chance.randrange(256)
            case 2:
                edge = chance.choice(EDGES)
                out[at : at + len(edge)] = edge
            case 3:
                del out[at : at + chance.randrange(1, 40)]
            case 4:
                out[at:at] = chance.randbytes(chance.randrange(1, 40))
            case 5:
                start = chance.randrange(len(out))
                out[at:at] = out[start : start + chance.randrange(1, 60)]
            case _:
                out[at:] = out[at : at + chance.randrange(1, len(out) + 1)]
        if len(out) < 8:
            break
    return bytes(out) if chance.random() < 0.1 else data[:4] + bytes(out[4:])


def richer() -> dict[str, bytes]:
    """Files with more parts to injure than the smallest ones have."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a description"
    image = quarters(40, 30)
    return one_of_each() | {
        "jpeg-exif": saved(image, "JPEG", exif=exif),
        "png-exif": saved(image.convert("RGBA"), "PNG", exif=exif),
        "webp-alpha": saved(image.convert("RGBA"), "WEBP", exif=exif),
        "tiff-jpeg": saved(image, "TIFF", compression="jpeg"),
        "tiff-pages": saved(image, "TIFF", save_all=True, append_images=[image.convert("1"), image.rotate(90)]),
        "heic-alpha": saved(image.convert("RGBA"), "HEIC"),
        "pdf-two": pages((50, 50), (60, 40), content=b"q 1 0 0 1 5 5 cm BT ET Q 0 0 9 9 re S"),
    }


@pytest.mark.parametrize("name", richer())
def test_damaged_files(name: str) -> None:
    chance = random.Random(name)
    original = richer()[name]
    refused = 0
    reader = Reader(processes=1)
    try:
        for _ in range(EACH):
            data = mutated(original, chance)
            try:
                pictures = read_pictures(data, LIMITS, reader)
            except PictureError as error:
                refused += 1
                message = error.user_message
                continue
            assert pictures
            assert all(sniff(picture.data) in ("PNG", "JPEG") for picture in pictures)
        assert refused > EACH // 20, "the injuries are too light to show anything"
        assert message.endswith(".")
        assert "Traceback" not in message
        # The cage is the last line: no injury of this kind may get that far.
        assert reader.lost == 0
    finally:
        reader.close()


def test_noise_behind_every_signature() -> None:
    chance = random.Random(7)
    for data in one_of_each().values():
        for size in (8, 60, 2000):
            with pytest.raises(PictureError):
                read_pictures(data[:20] + chance.randbytes(size), LIMITS)
