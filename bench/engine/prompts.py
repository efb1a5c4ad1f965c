"""Messages to a prompt by the checkpoint's own chat template, for engines that take text and pictures apart."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2.sandbox import ImmutableSandboxedEnvironment
from PIL import Image

from bench.engine.workload import Say, picture_file


class Prompts:
    """Renders for the checkpoint in `model`; pictures come from the folder `pictures`."""

    def __init__(self, model: Path, pictures: Path) -> None:
        environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
        self._template = environment.from_string(_template(model))
        self._pictures = pictures

    def __call__(self, messages: Sequence[Say]) -> tuple[str, list[Image.Image]]:
        """Text up to where the answer begins, and the pictures in order, decoded."""
        chat: list[dict[str, Any]] = []
        pictures = []
        for say in messages:
            content: list[dict[str, str]] = [{"type": "text", "text": say.text}]
            if say.picture is not None:
                content.insert(0, {"type": "image"})
                pictures.append(Image.open(picture_file(self._pictures, say.picture)).convert("RGB"))
            chat.append({"role": say.role, "content": content})
        return self._template.render(messages=chat, add_generation_prompt=True), pictures


def _template(model: Path) -> str:
    file = model / "chat_template.jinja"
    if file.is_file():
        return file.read_text()
    template = json.loads((model / "tokenizer_config.json").read_text())["chat_template"]
    assert isinstance(template, str)
    return template
