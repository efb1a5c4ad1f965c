from io import BytesIO
from typing import Any

import pytest
from PIL import Image, ImageCms, PngImagePlugin

from core.media.pictures import read_pictures
from tests.unit.media.corpus import LIMITS, pages, quarters, saved

SECRET = "Kilroy-was-here-1407"
XMP = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><secret>{SECRET}</secret></x:xmpmeta>'.encode()
# What says that there is metadata of a kind, in any format.
MARKS = (SECRET.encode(), b"Exif", b"eXIf", b"GPS", b"xmpmeta", b"http://ns.adobe", b"ICC_PROFILE", b"iCCP", b"tEXt")
LARGE = (700, 600)


def exif_with_place() -> Image.Exif:
    exif = Image.Exif()
    exif[0x010E] = SECRET  # description
    exif[0x0110] = f"Camera {SECRET}"
    exif[0x9003] = "2024:12:24 18:00:00"
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2], gps[3], gps[4] = "N", (59.0, 54.0, 49.0), "E", (10.0, 44.0, 18.0)
    gps[29] = SECRET
    return exif


def options() -> dict[str, dict[str, Any]]:
    exif, icc = exif_with_place(), ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", SECRET)
    text.add_text("Author", SECRET, zip=True)
    text.add_itxt("XML:com.adobe.xmp", XMP.decode())
    return {
        "JPEG": {"exif": exif, "icc_profile": icc, "xmp": XMP, "comment": SECRET, "dpi": (300, 300)},
        "PNG": {"exif": exif, "icc_profile": icc, "pnginfo": text, "dpi": (300, 300)},
        "WEBP": {"exif": exif, "icc_profile": icc, "xmp": XMP, "lossless": True},
        "TIFF": {"exif": exif, "icc_profile": icc, "description": SECRET, "artist": SECRET},
        "GIF": {"comment": SECRET.encode()},
        "AVIF": {"exif": exif, "icc_profile": icc, "xmp": XMP, "max_threads": 1},
        "HEIC": {"exif": exif.tobytes(), "icc_profile": icc, "xmp": XMP},
    }


@pytest.mark.parametrize("large", [False, True], ids=["kept as PNG", "kept as JPEG"])
@pytest.mark.parametrize("name", options())
def test_nothing_but_pixels_is_kept(name: str, large: bool) -> None:
    image = Image.effect_noise(LARGE, 80).convert("RGB") if large else quarters()
    data = saved(image, name, **options()[name])
    assert SECRET.encode() in data, "the test's own file carries nothing"

    (picture,) = read_pictures(data, LIMITS)

    assert picture.media_type == ("image/jpeg" if large else "image/png")
    for mark in MARKS:
        assert mark not in picture.data
    kept = Image.open(BytesIO(picture.data))
    kept.load()
    assert len(kept.getexif()) == 0
    assert set(kept.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_a_png_consists_of_three_kinds_of_chunk() -> None:
    (picture,) = read_pictures(saved(quarters(), "PNG", **options()["PNG"]), LIMITS)
    at, kinds = 8, set()
    while at < len(picture.data):
        kinds.add(picture.data[at + 4 : at + 8])
        at += 12 + int.from_bytes(picture.data[at : at + 4], "big")
    assert kinds == {b"IHDR", b"IDAT", b"IEND"}


def test_what_a_pdf_says_about_itself_is_gone() -> None:
    data = pages((200, 100)).replace(b"/Root 1 0 R", f"/Root 1 0 R/Info<</Author({SECRET})>>".encode())
    (picture,) = read_pictures(data, LIMITS)
    assert SECRET.encode() not in picture.data


def test_the_thumbnail_of_what_was_cropped_away_is_gone() -> None:
    thumbnail = saved(Image.effect_noise((160, 120), 90).convert("RGB"), "JPEG")
    exif = Image.Exif()
    exif[0x9286] = thumbnail  # in the user comment, as some editors do
    data = saved(quarters(), "JPEG", exif=exif)
    assert thumbnail in data
    (picture,) = read_pictures(data, LIMITS)
    assert thumbnail[:64] not in picture.data
