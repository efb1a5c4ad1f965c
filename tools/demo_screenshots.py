"""Screenshots of three conversations with the demo model, from a running service:

python -m tools.demo_screenshots http://127.0.0.1:8080
"""

import io
import sys
from dataclasses import dataclass

from playwright.sync_api import Browser, FilePayload, ViewportSize, expect, sync_playwright

from tests.browser.chromium import ARGS, HOW_TO_GET_ONE, find_chromium
from tools.demo_model.lexicon import COLOURS
from tools.demo_model.picture import draw
from tools.demo_model.scenes import Scene, Thing
from tools.demo_model.scenes.products import LAYOUTS
from tools.screenshots import ask, save

VIEWPORT: ViewportSize = {"width": 720, "height": 1280}


@dataclass(frozen=True)
class Conversation:
    """A picture and what is asked about it, each with what must be in the answer: a wrong one is no advertisement."""

    name: str
    scene: Scene
    size: tuple[int, int]
    questions: dict[str, str]


def _product(name: str, colour: str, pattern: str, price: str, place: int) -> Thing:
    cell = (3, 5)[place]
    return Thing(name, LAYOUTS[2][place], cell, colour, pattern, price, rgb=COLOURS[colour])


def _bought(name: str, price: str) -> Thing:
    return Thing(name, (0.0, 0.0, 1.0, 1.0), price=price)


CONVERSATIONS = (
    Conversation(
        "demo-shopping.png",
        Scene(
            "products",
            (_product("shoe", "red", "plain", "$12.50", 0), _product("bag", "blue", "dotted", "$8.20", 1)),
            style=4,
            layout=2,
        ),
        (480, 480),
        {
            "What do you see?": "shoe",
            "How much is the bag?": "$8.20",
            "And the other one?": "$12.50",
            "What pattern does the bag have?": "Dotted",
            "Is there a cat?": "I only know",
        },
    ),
    Conversation(
        "demo-receipt.png",
        Scene(
            "receipt",
            (_bought("coffee", "$4.20"), _bought("bread", "$2.35"), _bought("milk", "$1.10")),
            style=11,
            layout=4,
            facts={"total": "$7.65", "store": "Corner Shop"},
        ),
        (480, 640),
        {
            "What is the total?": "$7.65",
            "Which shop is it?": "Corner Shop",
            "What did I buy?": "bread",
            "How much is the milk?": "$1.10",
            "No, I meant the coffee.": "$4.20",
        },
    ),
    Conversation(
        "demo-chinese.png",
        Scene(
            "products",
            (_product("umbrella", "purple", "striped", "€9.40", 0), _product("cup", "green", "plain", "€3.25", 1)),
            style=8,
            layout=2,
        ),
        (480, 480),
        {
            "图片里有什么？": "雨伞",
            "雨伞多少钱？": "€9.40",
            "它是什么颜色？": "紫色",
            "另一个呢？": "绿色",
            "杯子在哪里？": "右边",
        },
    ),
)


def main(url: str) -> None:
    """Hold the conversations and write a picture of each."""
    path = find_chromium()
    if path is None:
        sys.exit(HOW_TO_GET_ONE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGS))
        for conversation in CONVERSATIONS:
            _hold(browser, url, conversation)
        browser.close()


def _hold(browser: Browser, url: str, conversation: Conversation) -> None:
    context = browser.new_context(viewport=VIEWPORT, device_scale_factor=1.5, color_scheme="light")
    page = context.new_page()
    page.goto(url)
    page.locator("input[type=file]").set_input_files(picture_of(conversation))
    for question in conversation.questions:
        ask(page, question)
    for turn, words in zip(page.locator(".turn").all(), conversation.questions.values(), strict=True):
        expect(turn.locator(".answer")).to_contain_text(words)
    page.locator(".turn").first.scroll_into_view_if_needed()
    save(page.screenshot(), conversation.name)
    context.close()


def picture_of(conversation: Conversation) -> FilePayload:
    """The picture of a conversation, as a file to send."""
    file = io.BytesIO()
    draw(conversation.scene, conversation.size, turn=0.0).image.save(file, "PNG")
    return {"name": conversation.name.removeprefix("demo-"), "mimeType": "image/png", "buffer": file.getvalue()}


if __name__ == "__main__":
    main(sys.argv[1])
