"""Pictures on their way into a question: chosen, pasted, dropped, removed, refused, opened."""

import pytest
from playwright.sync_api import FilePayload, Route, expect

from tests.browser.chat_page import ChatPage
from tests.browser.files import broken, hand_over, picture
from tests.browser.watch import Watch

pytestmark = pytest.mark.browser


def test_several_pictures_are_chosen_and_one_is_removed_before_sending(chat: ChatPage) -> None:
    chat.choose([picture("one.png", "red"), picture("two.png", "blue"), picture("three.png", "green")])
    expect(chat.previews).to_have_count(3)
    expect(chat.previews.locator("canvas")).to_have_count(3)
    chat.page.get_by_role("button", name="Remove two.png").click()
    expect(chat.previews).to_have_count(2)
    turn = chat.ask("How many?")
    expect(turn.pictures).to_have_count(2)
    expect(turn.answer).to_have_text("How many? [2 pictures]")
    assert [image.get_attribute("alt") for image in turn.pictures.all()] == ["one.png", "three.png"]
    for image in turn.pictures.all():
        # Decoded, not just there.
        assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") == 96
    expect(chat.previews).to_have_count(0)


def test_a_picture_alone_is_a_question(chat: ChatPage) -> None:
    expect(chat.send).to_be_disabled()
    chat.choose([picture()])
    chat.send.click()
    turn = chat.turn(0)
    turn.wait_until_over()
    expect(turn.pictures).to_have_count(1)
    expect(turn.question).to_have_count(0)


def test_pictures_are_pasted(chat: ChatPage) -> None:
    hand_over(chat.page, "paste", [picture("image.png")])
    expect(chat.previews).to_have_count(1)
    expect(chat.page.get_by_role("button", name="Remove pasted picture")).to_be_visible()
    assert chat.ask("Pasted?").answer.inner_text() == "Pasted? [1 picture]"


def test_text_that_is_pasted_with_a_picture_of_itself_stays_text(chat: ChatPage) -> None:
    texts = {"text/plain": "a table copied from a spreadsheet", "text/html": "<table><td>a table</td></table>"}
    hand_over(chat.page, "paste", [picture("image.png")], texts)
    expect(chat.previews).to_have_count(0)


@pytest.mark.parametrize(
    "texts",
    [{"text/plain": "/home/ada/shapes.png"}, {"text/html": '<img src="https://example.com/shapes.png">'}],
    ids=["from a file manager", "from a web page"],
)
def test_a_picture_that_is_pasted_with_its_name_or_address_is_taken(chat: ChatPage, texts: dict[str, str]) -> None:
    hand_over(chat.page, "paste", [picture()], texts)
    expect(chat.previews).to_have_count(1)
    expect(chat.question).to_have_value("")


@pytest.mark.parametrize("event", ["paste", "drop"])
def test_a_picture_that_comes_while_a_question_is_sent_is_not_swallowed(chat: ChatPage, event: str) -> None:
    held: list[Route] = []
    chat.page.route("**/api/turns", lambda route: held.append(route), times=1)
    chat.question.fill("Slow?")
    with chat.page.expect_request("**/api/turns"):
        chat.question.press("Enter")
    hand_over(chat.page, event, [picture("late.png")])
    expect(chat.problem).to_have_text("Wait until this question is sent, then add the picture.")
    expect(chat.previews).to_have_count(0)
    held[0].continue_()
    chat.turn(0).wait_until_over()
    expect(chat.problem).to_be_hidden()
    hand_over(chat.page, event, [picture("late.png")])
    expect(chat.previews).to_have_count(1)


def test_pictures_are_dropped_anywhere_on_the_page(chat: ChatPage) -> None:
    place = chat.page.get_by_text("Drop your pictures here")
    hand_over(chat.page, "dragenter", [picture()])
    expect(place).to_be_visible()
    hand_over(chat.page, "dragleave", [picture()])
    expect(place).to_be_hidden()
    hand_over(chat.page, "dragenter", [picture()])
    hand_over(chat.page, "drop", [picture("a.png"), picture("b.png", "blue")])
    expect(place).to_be_hidden()
    expect(chat.previews).to_have_count(2)
    assert chat.ask("Dropped?").answer.inner_text() == "Dropped? [2 pictures]"


def test_what_cannot_be_sent_is_refused_on_the_page_with_its_reason(chat: ChatPage) -> None:
    text: FilePayload = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no picture"}
    vector: FilePayload = {"name": "logo.svg", "mimeType": "image/svg+xml", "buffer": b"<svg/>"}
    large: FilePayload = {"name": "large.jpg", "mimeType": "image/jpeg", "buffer": b"\xff" * 400_000}
    empty: FilePayload = {"name": "empty.png", "mimeType": "image/png", "buffer": b""}
    hand_over(chat.page, "drop", [text, vector, large, empty, picture("fine.png")])
    expect(chat.previews).to_have_count(1)
    expect(chat.problem).to_contain_text("notes.txt and logo.svg cannot be read. Send JPEG, PNG, WebP")
    expect(chat.problem).to_contain_text("large.jpg is too large: 391 KB, at most 293 KB can be sent.")
    expect(chat.problem).to_contain_text("empty.png is empty. Check the file and choose it again.")
    hand_over(chat.page, "drop", [picture(f"more{n}.png") for n in range(4)])
    expect(chat.previews).to_have_count(3)
    expect(chat.problem).to_have_text("One question can have 3 pictures; 2 did not fit.")


def test_a_file_without_a_type_is_known_by_its_ending(chat: ChatPage) -> None:
    hand_over(chat.page, "drop", [{"name": "IMG_0001.HEIC", "mimeType": "", "buffer": b"ftypheic"}])
    expect(chat.previews).to_have_count(1)
    expect(chat.previews).to_contain_text("HEIC")


def test_an_unreadable_file_is_named_beside_the_question(chat: ChatPage) -> None:
    chat.choose([picture("fine.png"), broken("torn.png")])
    turn = chat.ask("And this?")
    expect(turn.pictures).to_have_count(1)
    expect(turn.refused).to_have_count(1)
    expect(turn.refused).to_contain_text("torn.png: This file is damaged or incomplete.")
    chat.page.reload()
    expect(chat.turn(0).refused).to_contain_text("torn.png")


def test_a_question_whose_files_are_all_unreadable_stays_in_the_box(chat: ChatPage, watch: Watch) -> None:
    watch.allow("status of 422")
    chat.choose([broken("torn.png")])
    chat.question.fill("What is this?")
    chat.send.click()
    expect(chat.problem).to_contain_text("torn.png: This file is damaged or incomplete.")
    expect(chat.question).to_have_value("What is this?")
    expect(chat.previews).to_have_count(1)
    expect(chat.turns).to_have_count(0)
    chat.page.get_by_role("button", name="Remove torn.png").click()
    expect(chat.problem).to_be_hidden()
    expect(chat.question).to_be_focused()
    chat.question.press("Enter")
    expect(chat.turns).to_have_count(1)


def test_a_picture_opens_in_full_size_and_closes(chat: ChatPage) -> None:
    chat.choose([picture("wide.png", size=(900, 300))])
    turn = chat.ask("Wide?")
    viewer = chat.page.get_by_role("dialog", name="Picture")
    turn.element.get_by_role("button", name="Open wide.png").click()
    expect(viewer).to_be_visible()
    box = viewer.get_by_role("img").bounding_box()
    assert box is not None
    assert (round(box["width"]), round(box["height"])) == (900, 300)
    chat.page.keyboard.press("Escape")
    expect(viewer).to_be_hidden()
    expect(turn.element.get_by_role("button", name="Open wide.png")).to_be_focused()


def test_the_sample_picture_and_an_example_are_one_click_each(chat: ChatPage) -> None:
    chat.page.get_by_role("button", name="Try a sample picture").click()
    expect(chat.previews).to_have_count(1)
    expect(chat.question).to_have_value("What is in the top left?")
    chat.page.get_by_role("button", name="Describe the picture.").click()
    expect(chat.question).to_have_value("Describe the picture.")
    chat.question.press("Enter")
    expect(chat.turn(0).answer).to_have_text("Describe the picture. [1 picture]", timeout=60_000)
    expect(chat.empty).to_be_hidden()
