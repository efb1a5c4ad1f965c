"""Boxes drawn into a picture: where they belong, in colours of their own, in the picture's own form."""

import io

from PIL import Image, ImageChops

from bots.chat.boxes import caption_of, draw_boxes
from core.conversation.boxes import Box

WHITE = (255, 255, 255)


def drawn_into(kind: str, *boxes: Box, size: tuple[int, int] = (400, 300)) -> tuple[Image.Image, str]:
    out = io.BytesIO()
    Image.new("RGB", size, WHITE).save(out, kind)
    data, name = draw_boxes(out.getvalue(), boxes)
    return Image.open(io.BytesIO(data)).convert("RGB"), name


def changed(picture: Image.Image) -> tuple[int, int, int, int]:
    """The smallest rectangle that holds everything which is not white."""
    found = ImageChops.difference(picture, Image.new("RGB", picture.size, WHITE)).getbbox()
    assert found is not None
    return found


def test_a_box_is_drawn_where_it_is() -> None:
    picture, name = drawn_into("PNG", Box("star", 0.5, 0.5, 0.75, 0.9))
    assert name == "png"
    assert picture.size == (400, 300)
    assert picture.getpixel((200, 250)) == picture.getpixel((298, 200)) != WHITE
    assert picture.getpixel((250, 220)) == WHITE
    left, top, right, bottom = changed(picture)
    assert (left, bottom) == (199, 270)
    # The label stands above the box.
    assert top < 149
    assert right <= 300


def test_boxes_have_colours_of_their_own() -> None:
    picture, _ = drawn_into("PNG", Box("", 0.1, 0.5, 0.3, 0.9), Box("", 0.5, 0.5, 0.7, 0.9))
    colours = {picture.getpixel((x, 250)) for x in (40, 200)}
    assert len(colours) == 2
    assert WHITE not in colours


def test_nothing_is_drawn_outside_of_the_picture() -> None:
    label = "a very long label that would not fit at all"
    corners = [Box(label, 0, 0, 0.1, 0.1), Box(label, 0.9, 0.9, 1, 1), Box(label, 0, 0, 1, 1)]
    picture, _ = drawn_into("PNG", *corners, size=(120, 90))
    assert changed(picture) == (0, 0, 120, 90)


def test_a_photo_stays_a_photo() -> None:
    picture, name = drawn_into("JPEG", Box("star", 0.2, 0.2, 0.8, 0.8))
    assert (name, picture.size) == ("jpg", (400, 300))


def test_letters_that_the_font_lacks_are_left_to_the_caption() -> None:
    boxes = [Box("星星", 0.2, 0.3, 0.8, 0.8), Box("", 0.1, 0.1, 0.2, 0.2), Box("Čáp", 0.4, 0.4, 0.6, 0.6)]
    assert caption_of(boxes) == "1. 星星\n3. Čáp"
    with_label, _ = drawn_into("PNG", boxes[0])
    without, _ = drawn_into("PNG", Box("", 0.2, 0.3, 0.8, 0.8))
    assert ImageChops.difference(with_label, without).getbbox() is None
