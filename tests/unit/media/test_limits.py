import pytest

from core.errors import PictureBroken, PictureTooLarge
from core.media.limits import PictureLimits, spoken_bytes, spoken_pixels
from core.media.pictures import read_pictures
from core.settings import MIB, load_settings
from tests.unit.media.corpus import LIMITS, one_of_each


@pytest.mark.parametrize(
    ("count", "spoken"),
    [
        (300, "300 bytes"),
        (1024, "1 KB"),
        (65_535, "63 KB"),
        (MIB, "1 MB"),
        (MIB * 3 // 2, "1.5 MB"),
        (10 * MIB, "10 MB"),
    ],
)
def test_bytes_as_people_say_them(count: int, spoken: str) -> None:
    assert spoken_bytes(count) == spoken


@pytest.mark.parametrize(
    ("count", "spoken"),
    [
        (12_000, "12,000 pixels"),
        (1_000_000, "1 megapixels"),
        (25_000_000, "25 megapixels"),
        (12_345_678, "12.3 megapixels"),
    ],
)
def test_pixels_as_people_say_them(count: int, spoken: str) -> None:
    assert spoken_pixels(count) == spoken


def test_limits_come_from_the_settings() -> None:
    settings = load_settings(
        picture_max_bytes=1000, picture_max_pixels=2000, pdf_max_pages=3, picture_keep_pixels=4000, _env_file=None
    )
    assert PictureLimits.of(settings) == PictureLimits(1000, 2000, 3, 4000)


def test_the_default_settings_are_the_promised_ones() -> None:
    limits = PictureLimits.of(load_settings(_env_file=None))
    assert (limits.max_bytes, limits.max_pixels, limits.max_pages) == (10 * MIB, 25_000_000, 10)


def test_a_file_one_byte_too_large_is_refused_with_the_limit_in_the_message() -> None:
    data = one_of_each()["png"]
    exact = PictureLimits(max_bytes=len(data), max_pixels=LIMITS.max_pixels, max_pages=1)
    assert len(read_pictures(data, exact)) == 1
    with pytest.raises(PictureTooLarge, match=str(len(data) + 1)):
        read_pictures(data + b"\0", exact)
    with pytest.raises(PictureTooLarge) as refused:
        read_pictures(data + bytes(10 * MIB), LIMITS)
    assert refused.value.user_message == "This file is larger than 10 MB. Please send a smaller version."


def test_an_empty_file_is_called_empty() -> None:
    with pytest.raises(PictureBroken) as refused:
        read_pictures(b"", LIMITS)
    assert "empty" in refused.value.user_message
