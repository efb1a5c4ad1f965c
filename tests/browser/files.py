"""Small files to send."""

import base64
from collections.abc import Mapping
from io import BytesIO
from typing import Any

from PIL import Image, ImageDraw
from playwright.sync_api import FilePayload, Page

# Files reach a page as its own script would get them: this is how the operating system hands over what was copied or
# dragged, which no browser lets a test do.
_TRANSFER = """
([event, files, texts]) => {
  const transfer = new DataTransfer();
  for (const { name, type, data } of files) {
    const bytes = Uint8Array.from(atob(data), (char) => char.charCodeAt(0));
    transfer.items.add(new File([bytes], name, { type }));
  }
  for (const [type, text] of Object.entries(texts)) transfer.setData(type, text);
  const options = { bubbles: true, cancelable: true };
  const target = document.getElementById("question");
  if (event === "paste") target.dispatchEvent(new ClipboardEvent("paste", { ...options, clipboardData: transfer }));
  else target.dispatchEvent(new DragEvent(event, { ...options, dataTransfer: transfer }));
}
"""


def picture(name: str = "shapes.png", colour: str = "red", size: tuple[int, int] = (96, 64)) -> FilePayload:
    """A PNG with one coloured disc on white."""
    image = Image.new("RGB", size, "white")
    ImageDraw.Draw(image).ellipse((8, 8, size[1] - 8, size[1] - 8), fill=colour)
    return saved(name, image, "PNG")


def saved(name: str, image: Image.Image, kind: str, **options: Any) -> FilePayload:
    """`image` in one of Pillow's formats."""
    data = BytesIO()
    image.save(data, kind, **options)
    return {
        "name": name,
        "mimeType": f"{'application' if kind == 'PDF' else 'image'}/{kind.lower()}",
        "buffer": data.getvalue(),
    }


def broken(name: str = "broken.png") -> FilePayload:
    """Says that it is a PNG, and is none that decodes."""
    return {"name": name, "mimeType": "image/png", "buffer": picture()["buffer"][:60]}


def hand_over(page: Page, event: str, files: list[FilePayload], texts: Mapping[str, str] | None = None) -> None:
    """Dispatch `event` (paste, dragenter, dragover, dragleave or drop) with `files` and with `texts` by their type."""
    packed = [{"name": f["name"], "type": f["mimeType"], "data": base64.b64encode(f["buffer"]).decode()} for f in files]
    page.evaluate(_TRANSFER, [event, packed, dict(texts or {})])
