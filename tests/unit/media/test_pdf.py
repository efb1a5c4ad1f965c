from io import BytesIO

import pytest
from PIL import Image

from core.errors import PictureBroken, PictureLocked
from core.media.limits import PictureLimits
from core.media.pictures import read_pictures
from tests.unit.media.corpus import LIMITS, near, pages, pdf, stream


def image_of(data: bytes) -> Image.Image:
    (picture,) = read_pictures(data, LIMITS)
    return Image.open(BytesIO(picture.data))


def test_a_page_is_drawn_on_white_at_a_size_that_can_be_read() -> None:
    image = image_of(pages((595, 842)))
    # A4: about 200 dots per inch.
    assert 1600 < image.width < 1800
    assert image.width * image.height <= LIMITS.keep_pixels
    assert image.getpixel((20, image.height - 20)) == (255, 0, 0)
    assert image.getpixel((image.width - 20, 20)) == (255, 255, 255)


def test_a_small_page_is_not_blown_up_without_end() -> None:
    assert image_of(pages((50, 50))).size == (200, 200)


def test_every_page_becomes_a_picture_in_order() -> None:
    pictures = read_pictures(pages((100, 50), (50, 100), (70, 70)), LIMITS)
    assert [(p.width, p.height) for p in pictures] == [(400, 200), (200, 400), (280, 280)]


def test_a_turned_page_comes_out_upright() -> None:
    image = image_of(pages((100, 50)).replace(b"/MediaBox", b"/Rotate 90/MediaBox"))
    assert image.size == (200, 400)


@pytest.mark.parametrize("box", [b"0 0 0 0", b"0 0 nan inf", b"5 5 5 5"])
def test_a_page_box_that_is_none_falls_back_to_a_letter_or_is_refused(box: bytes) -> None:
    data = pages((100, 50)).replace(b"0 0 100 50", box)
    (picture,) = read_pictures(data, LIMITS)
    assert picture.width * picture.height <= LIMITS.keep_pixels


def test_a_page_as_thin_as_a_hair() -> None:
    (picture,) = read_pictures(pages((14_400, 0.01)), LIMITS)
    assert picture.width * picture.height <= LIMITS.keep_pixels


def test_fields_that_somebody_filled_in_are_shown() -> None:
    appearance = stream(b"0 0 1 rg 0 0 40 40 re f", b"/Type/XObject/Subtype/Form/BBox[0 0 40 40]")
    data = pdf(
        b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[4 0 R]>>>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 100]/Annots[4 0 R]>>",
        b"<</Type/Annot/Subtype/Widget/FT/Tx/T(name)/V(x)/F 4/Rect[10 10 50 50]/P 3 0 R/AP<</N 5 0 R>>>>",
        appearance,
    )
    pixel = image_of(data).getpixel((4 * 30, 4 * 70))
    assert isinstance(pixel, tuple)
    assert pixel[2] > 200 > pixel[0]


def test_javascript_and_actions_do_nothing() -> None:
    script = b"/OpenAction<</S/JavaScript/JS(while\\(true\\){})>>/AA<</WC<</S/URI/URI(http://127.0.0.1:1/)>>>>"
    assert image_of(pages((100, 100), catalogue=script)).size == (400, 400)


def test_no_pages() -> None:
    data = pdf(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[]/Count 0>>")
    with pytest.raises(PictureBroken) as refused:
        read_pictures(data, LIMITS)
    assert "no pages" in refused.value.user_message


def test_a_password() -> None:
    # Revision 2 of the standard handler with an owner and user key that no empty password makes.
    key = b"<" + b"5a" * 32 + b">"
    crypt = b"/Encrypt<</Filter/Standard/V 1/R 2/O %s/U %s/P -4>>/ID[<00><00>]" % (key, key)
    data = pages((100, 100)).replace(b"/Root 1 0 R", b"/Root 1 0 R" + crypt)
    with pytest.raises(PictureLocked) as refused:
        read_pictures(data, LIMITS)
    assert "password" in refused.value.user_message


def test_an_encryption_that_nobody_knows_is_a_lock_too() -> None:
    data = pages((100, 100)).replace(b"/Root 1 0 R", b"/Root 1 0 R/Encrypt<</Filter/Unheard.Of/V 9>>")
    with pytest.raises(PictureLocked):
        read_pictures(data, LIMITS)


def test_a_lost_end_is_noticed_and_padding_is_not_one() -> None:
    data = pages((100, 100))
    assert image_of(data + b"\r\n\0\0" * 1000).size == (400, 400)
    with pytest.raises(PictureBroken):
        read_pictures(data[: data.rindex(b"%%EOF")], LIMITS)


def test_a_damaged_table_is_mended() -> None:
    assert image_of(pages((100, 100)).replace(b"startxref\n", b"startxref\n9")).size == (400, 400)


def test_a_page_is_kept_as_small_as_the_operator_says() -> None:
    (picture,) = read_pictures(pages((595, 842)), PictureLimits(10_000_000, 25_000_000, 10, keep_pixels=100_000))
    assert picture.width * picture.height <= 100_000
    image = Image.open(BytesIO(picture.data))
    corner = image.getpixel((4, image.height - 5))
    assert isinstance(corner, tuple)
    assert near(corner, (255, 0, 0))
