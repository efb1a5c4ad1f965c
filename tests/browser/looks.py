"""How a page looks: what fits, what can be seen, what can be read."""

from playwright.sync_api import Locator, Page, Request

AA = 4.5
# Contrast of every piece of visible text with the colours that lie under it, as WCAG 2 computes it.
_CONTRASTS = """
() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const over = (colours) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const linear = (v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = (rgb) => 0.2126 * linear(rgb[0]) + 0.7152 * linear(rgb[1]) + 0.0722 * linear(rgb[2]);
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const element = walker.currentNode.parentElement;
    if (!text || element.closest(".unseen, .skip, :disabled")) continue;
    if (!element.checkVisibility({ visibilityProperty: true })) continue;
    const grounds = [];
    for (let e = element; e; e = e.parentElement) grounds.unshift(getComputedStyle(e).backgroundColor);
    const ground = over(grounds);
    const ink = over([...grounds, getComputedStyle(element).color]);
    const [high, low] = [luminance(ink), luminance(ground)].sort((a, b) => b - a);
    found.push([text.slice(0, 40), Math.round(((high + 0.05) / (low + 0.05)) * 100) / 100]);
  }
  return found;
}
"""


def contrasts(page: Page) -> list[tuple[str, float]]:
    """Every visible text (its beginning) with its contrast."""
    return [(text, contrast) for text, contrast in page.evaluate(_CONTRASTS)]


def fits(page: Page) -> bool:
    """Whether nothing makes the page scroll sideways."""
    return bool(
        page.evaluate("Math.max(document.documentElement.scrollWidth, document.body.scrollWidth) <= innerWidth")
    )


def inside(page: Page, element: Locator) -> bool:
    """Whether all of `element` can be seen."""
    box, viewport = element.bounding_box(), page.viewport_size
    assert box is not None
    assert viewport is not None
    right, bottom = box["x"] + box["width"], box["y"] + box["height"]
    return box["x"] >= 0 and box["y"] >= 0 and right <= viewport["width"] and bottom <= viewport["height"]


def weight(page: Page, address: str) -> int:
    """Bytes of a page with all its files, as they are sent. For pages without a stream that stays open."""
    requests: list[Request] = []
    page.on("request", lambda request: requests.append(request))
    page.goto(address, wait_until="networkidle")
    return sum(request.sizes()["responseBodySize"] for request in requests)
