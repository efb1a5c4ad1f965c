from io import BytesIO
from typing import Any

import pytest
from PIL import Image, ImageCms

from core.media.decode import decode
from core.media.sniff import sniff
from tests.unit.media.corpus import BLUE, GREEN, LIMITS, RED, YELLOW, corners, near, quarters, saved, srgb, swapped


def shown(name: str, icc: bytes, image: Image.Image | None = None, **options: Any) -> list[tuple[int, int, int]]:
    data = saved(image or quarters(), name, icc_profile=icc, **options)
    assert len(data) > len(saved(image or quarters(), name, icc_profile=None, **options)) + 100
    (picture,) = decode(data, sniff(data), LIMITS)
    return corners(Image.open(BytesIO(picture.data)))


def back_to_front(colour: tuple[int, int, int]) -> tuple[int, int, int]:
    return (colour[2], colour[1], colour[0])


SAVED: dict[str, dict[str, Any]] = {
    "PNG": {},
    "TIFF": {},
    "WEBP": {"lossless": True},
    "JPEG": {"quality": 95},
    "AVIF": {"quality": 95, "max_threads": 1},
    "HEIC": {"quality": 95},
}


@pytest.mark.parametrize("name", SAVED)
def test_colours_are_converted_by_the_profile(name: str) -> None:
    expected = [back_to_front(colour) for colour in (RED, GREEN, BLUE, YELLOW)]
    found = shown(name, swapped(), **SAVED[name])
    assert all(near(a, b, 40) for a, b in zip(found, expected, strict=True)), found


def test_the_profile_also_holds_under_transparency() -> None:
    image = quarters().convert("RGBA")
    image.putalpha(Image.new("L", image.size, 255))
    image.paste((0, 0, 0, 0), (48, 0, 96, 32))
    found = shown("PNG", swapped(), image)
    assert near(found[0], back_to_front(RED))
    assert found[1] == (255, 255, 255)


def test_a_plain_srgb_profile_changes_nothing() -> None:
    assert shown("PNG", srgb()) == [RED, GREEN, BLUE, YELLOW]


@pytest.mark.parametrize(
    "icc",
    [
        b"not a profile" * 20,
        srgb()[:200],
        srgb()[:128] + b"\xff" * 400,
        srgb().replace(b"RGB XYZ ", b"CMYKLab ", 1),
        srgb().replace(b"mntrRGB ", b"linkRGB ", 1),
        srgb().replace(b"mntrRGB ", b"nmclRGB ", 1),
        srgb() + bytes(5 * 1024 * 1024),
    ],
    ids=["text", "truncated", "tags of nonsense", "of CMYK", "a device link", "named colours", "5 MB"],
)
def test_a_profile_that_cannot_be_used_is_left_out(icc: bytes) -> None:
    data = saved(quarters(), "TIFF", icc_profile=icc)
    (picture,) = decode(data, sniff(data), LIMITS)
    assert corners(Image.open(BytesIO(picture.data))) == [RED, GREEN, BLUE, YELLOW]


def test_lab_is_converted() -> None:
    lab = ImageCms.profileToProfile(
        quarters(), ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    assert lab is not None
    data = saved(lab, "TIFF")
    (picture,) = decode(data, sniff(data), LIMITS)
    found = corners(Image.open(BytesIO(picture.data)))
    assert all(near(a, b, 12) for a, b in zip(found, (RED, GREEN, BLUE, YELLOW), strict=True)), found
