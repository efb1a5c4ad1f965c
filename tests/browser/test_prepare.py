"""What the page does to pictures and says of them before they are sent: scaling down, first frames, names of pages."""

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, expect

from tests.browser.chat_page import ChatPage
from tests.browser.files import broken, picture, saved
from tests.browser.watch import Watch

pytestmark = pytest.mark.browser

MAX_PIXELS = 1_000_000
FRAMES = [Image.new("RGB", (60, 40), colour) for colour in ("red", "blue")]
_CORNER = """
image => image.decode().then(() => {
  const context = new OffscreenCanvas(1, 1).getContext("2d");
  context.drawImage(image, 0, 0);
  return [...context.getImageData(0, 0, 1, 1).data];
})
"""


def size(chat: ChatPage) -> tuple[int, int]:
    """Of the first turn's picture, as it came back from the server."""
    width, height = chat.turn(0).pictures.evaluate(
        "image => image.decode().then(() => [image.naturalWidth, image.naturalHeight])"
    )
    return (width, height)


def noise(name: str, size: tuple[int, int]) -> FilePayload:
    """A picture that takes many bytes."""
    return saved(name, Image.effect_noise(size, 80), "PNG")


def test_a_picture_of_too_many_pixels_is_scaled_down_before_it_is_sent(chat: ChatPage) -> None:
    chat.choose([picture("photo.png", size=(1600, 1200))])
    turn = chat.ask("Large?")
    expect(turn.refused).to_have_count(0)
    width, height = size(chat)
    assert 0.95 * MAX_PIXELS < width * height <= MAX_PIXELS
    assert width / height == pytest.approx(4 / 3, rel=0.01)
    expect(turn.pictures).to_have_attribute("alt", "photo.png")


def test_a_picture_of_too_many_bytes_is_scaled_down_before_it_is_sent(chat: ChatPage) -> None:
    heavy = noise("heavy.png", (1200, 800))
    assert len(heavy["buffer"]) > 600_000
    chat.choose([heavy])
    turn = chat.ask("Heavy?")
    expect(turn.refused).to_have_count(0)
    width, height = size(chat)
    assert width / height == pytest.approx(1.5, rel=0.01)


def test_what_is_within_the_limits_is_sent_as_it_is(chat: ChatPage) -> None:
    exact = picture("exact.png", size=(1000, 1000))
    # A browser does not show tests the files in a form.
    chat.page.evaluate("""
      () => {
        const append = FormData.prototype.append;
        FormData.prototype.append = function (...given) {
          if (given[1] instanceof File) window.sent = [given[1].name, given[1].type, given[1].size];
          append.apply(this, given);
        };
      }
    """)
    chat.choose([exact])
    chat.ask("As it is?")
    assert chat.page.evaluate("sent") == ["exact.png", "image/png", len(exact["buffer"])]
    assert size(chat) == (1000, 1000)


def test_transparency_is_white_when_it_is_scaled_down(chat: ChatPage) -> None:
    chat.choose([saved("clear.png", Image.new("RGBA", (1600, 1200)), "PNG")])
    turn = chat.ask("Clear?")
    assert turn.pictures.evaluate(_CORNER) == [255, 255, 255, 255]


def test_what_the_browser_cannot_decode_is_sent_as_it_is(chat: ChatPage, watch: Watch) -> None:
    watch.allow("status of 422")
    chat.choose([saved("scan.tiff", Image.new("1", (1600, 1200)), "TIFF")])
    chat.question.fill("Too large?")
    chat.question.press("Enter")
    expect(chat.problem).to_contain_text("scan.tiff: This picture has 1,600 × 1,200 pixels")
    expect(chat.previews).to_have_count(1)


def test_sending_waits_for_what_is_scaled_down_and_can_be_stopped(chat: ChatPage) -> None:
    # The browser's decoder, held up until it is told to go on.
    chat.page.evaluate("""
      () => {
        const decode = createImageBitmap;
        window.createImageBitmap = async (file) => {
          await new Promise((resolve) => (window.goOn = resolve));
          return decode(file);
        };
      }
    """)
    chat.choose([picture(size=(1600, 1200))])
    chat.question.fill("Wait for me?")
    chat.question.press("Enter")
    expect(chat.stop).to_be_visible()
    chat.stop.click()
    expect(chat.send).to_be_visible()
    expect(chat.problem).to_be_hidden()
    chat.question.press("Enter")
    expect(chat.stop).to_be_visible()
    expect(chat.turns).to_have_count(0)
    chat.page.evaluate("goOn()")
    turn = chat.turn(0)
    turn.wait_until_over()
    assert turn.answer.inner_text() == "Wait for me? [1 picture]"


MOVING = {
    "moving.gif": saved("moving.gif", FRAMES[0], "GIF", save_all=True, append_images=FRAMES[1:]),
    "moving.webp": saved("moving.webp", FRAMES[0], "WEBP", save_all=True, append_images=FRAMES[1:]),
    "moving.png": saved("moving.png", FRAMES[0], "PNG", save_all=True, append_images=FRAMES[1:]),
    "moving.avif": saved("moving.avif", FRAMES[0], "AVIF", save_all=True, append_images=FRAMES[1:], max_threads=1),
}


@pytest.mark.parametrize("name", MOVING)
def test_of_what_moves_only_the_first_frame_is_read_and_that_is_told(chat: ChatPage, name: str) -> None:
    remark = chat.page.get_by_role("status").filter(has_text="Only the first frame of")
    chat.choose([picture("still.png"), MOVING[name]])
    expect(remark).to_have_text(f"Only the first frame of {name} is read.")
    chat.page.get_by_role("button", name=f"Remove {name}").click()
    expect(remark).to_have_count(0)


def test_what_stands_still_is_not_said_to_move(chat: ChatPage) -> None:
    still = [saved(f"still.{kind.lower()}", FRAMES[0], kind) for kind in ("GIF", "WEBP", "PNG")]
    chat.choose(still)
    expect(chat.previews.locator("canvas")).to_have_count(3)
    expect(chat.page.get_by_text("Only the first frame of")).to_have_count(0)


def test_the_pages_of_a_pdf_are_told_apart(chat: ChatPage) -> None:
    chat.choose([saved("d.pdf", FRAMES[0], "PDF", save_all=True, append_images=FRAMES[1:]), picture("e.png")])
    turn = chat.ask("Which page?")
    names = ["d.pdf, page 1", "d.pdf, page 2", "e.png"]
    assert [image.get_attribute("alt") for image in turn.pictures.all()] == names
    turn.element.get_by_role("button", name="Open d.pdf, page 2").click()
    viewer = chat.page.get_by_role("dialog", name="Picture")
    expect(viewer.get_by_role("img", name="d.pdf, page 2")).to_be_visible()
    expect(viewer.get_by_text("d.pdf, page 2")).to_be_visible()


def test_pictures_of_the_same_name_are_told_apart(chat: ChatPage) -> None:
    chat.choose([picture("image.png", "red"), picture("image.png", "blue")])
    turn = chat.ask("Which?")
    assert [image.get_attribute("alt") for image in turn.pictures.all()] == [
        "image.png, picture 1",
        "image.png, picture 2",
    ]


def test_what_could_not_be_used_is_read_out(chat: ChatPage) -> None:
    chat.choose([picture("fine.png"), broken("bad.png")])
    turn = chat.ask("Heard? [[hang]]", wait=False)
    expect(chat.page.locator("#announcer")).to_have_text(
        "bad.png could not be used: This file is damaged or incomplete. Please send it again."
    )
    chat.stop.click()
    turn.wait_until_over()
