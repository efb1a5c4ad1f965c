from io import BytesIO
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from core.media.decode import decode
from core.media.fit import kept_size, widen
from core.media.limits import PictureLimits
from core.media.safe_picture import SafePicture
from core.media.sniff import sniff
from tests.unit.media.corpus import BLUE, GREEN, LIMITS, RED, YELLOW, corners, near, quarters, saved

SIDES = st.integers(1, 30_000)


def made_safe(image: Image.Image, name: str, limits: PictureLimits = LIMITS) -> SafePicture:
    data = saved(image, name)
    (picture,) = decode(data, sniff(data), limits)
    return picture


@given(SIDES, SIDES, st.integers(1024, 10_000_000))
def test_a_kept_size_has_the_shape_and_fits(width: int, height: int, keep: int) -> None:
    kept = kept_size((width, height), keep)
    assert 1 <= kept[0] <= width
    assert 1 <= kept[1] <= height
    assert kept[0] * kept[1] <= keep
    assert max(kept) <= 4 * sqrt(keep)
    scale = max(kept) / max(width, height)
    assert abs(kept[0] - width * scale) <= 1
    assert abs(kept[1] - height * scale) <= 1


def test_a_picture_within_the_limit_keeps_its_size() -> None:
    assert kept_size((2048, 2048), LIMITS.keep_pixels) == (2048, 2048)
    assert kept_size((1, 1), LIMITS.keep_pixels) == (1, 1)


@pytest.mark.parametrize("name", ["PNG", "JPEG", "WEBP"])
def test_a_large_picture_is_scaled_down(name: str) -> None:
    picture = made_safe(quarters(3000, 2000), name)
    assert (picture.width, picture.height) == kept_size((3000, 2000), LIMITS.keep_pixels) == (2508, 1672)


def test_a_long_screenshot_keeps_letters_that_can_be_read() -> None:
    picture = made_safe(quarters(1080, 12_000), "PNG")
    assert picture.width > 600


def test_the_operator_chooses_how_much_is_kept() -> None:
    picture = made_safe(quarters(400, 100), "PNG", PictureLimits(10_000_000, 25_000_000, 10, keep_pixels=10_000))
    assert (picture.width, picture.height) == (200, 50)
    assert corners(Image.open(BytesIO(picture.data))) == [RED, GREEN, BLUE, YELLOW]


def test_scaling_is_smooth_also_for_palettes_and_single_bits() -> None:
    checks = Image.frombytes("1", (64, 64), (b"\xaa" * 8 + b"\x55" * 8) * 32)
    limits = PictureLimits(10_000_000, 25_000_000, 10, keep_pixels=1024)
    for data in (saved(checks, "PNG"), saved(checks.convert("P"), "PNG")):
        (picture,) = decode(data, sniff(data), limits)
        assert all(near(corner, (128, 128, 128)) for corner in corners(Image.open(BytesIO(picture.data))))


@pytest.mark.parametrize(("size", "expected"), [((1, 8000), (80, 8000)), ((5000, 3), (5000, 50)), ((90, 1), (90, 1))])
def test_a_thread_gets_white_margins(size: tuple[int, int], expected: tuple[int, int]) -> None:
    widened = widen(Image.new("RGB", size, RED))
    assert widened.size == expected
    assert (size[0] * size[1], RED) in (widened.getcolors() or [])
    if expected != size:
        assert widened.getpixel((0, 0)) == (255, 255, 255)


def test_the_longest_line_that_the_limits_allow() -> None:
    rows = Image.new("1", (1, 60_000))
    picture = made_safe(rows, "PNG")
    assert (picture.width, picture.height) == (82, 8192)


def test_photos_become_jpeg_and_flat_or_small_pictures_png() -> None:
    photo = Image.merge("RGB", [Image.effect_noise((800, 600), sigma) for sigma in (40, 60, 80)])
    assert made_safe(photo, "PNG").media_type == "image/jpeg"
    assert made_safe(photo.convert("L"), "PNG").media_type == "image/jpeg"
    assert made_safe(quarters(800, 600), "JPEG").media_type == "image/png"
    assert made_safe(photo.crop((0, 0, 512, 512)), "PNG").media_type == "image/png"


def test_a_photo_is_kept_almost_as_it_was() -> None:
    gradient = Image.merge("RGB", [Image.linear_gradient("L").rotate(a).resize((900, 700)) for a in (0, 90, 180)])
    picture = made_safe(gradient, "PNG")
    assert picture.media_type == "image/jpeg"
    kept = Image.open(BytesIO(picture.data))
    assert all(near(a, b, 3) for a, b in zip(corners(kept), corners(gradient), strict=True))


def test_what_was_small_and_lossless_stays_exactly_as_it_was() -> None:
    image = Image.merge("RGB", [Image.effect_noise((300, 200), sigma) for sigma in (40, 60, 80)])
    picture = made_safe(image, "PNG")
    assert Image.open(BytesIO(picture.data)).tobytes() == image.tobytes()
