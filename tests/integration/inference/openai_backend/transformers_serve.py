"""`transformers serve`, a server that is not ours, for the demo model: python -m … FOLDER PORT.

As shipped it cannot load the processor of a GLM or Qwen model where torchvision is missing (see
`core/inference/processor.py`); it gets ours. All else is its own: HTTP, checks, rendering, `generate`, streaming.
"""

import sys
from pathlib import Path
from typing import Any

from transformers import AutoConfig
from transformers.cli.serve import Serve
from transformers.cli.serving.model_manager import ModelManager

from core.inference.processor import load_processor, load_tokenizer


def _load_processor(self: ModelManager, name: str, gguf_file: str | None = None) -> Any:
    folder = Path(name.removesuffix("@main"))
    return load_processor(folder, AutoConfig.from_pretrained(folder).model_type, load_tokenizer(folder))


if __name__ == "__main__":
    vars(ModelManager)["_load_processor"]  # It is still called so.
    ModelManager._load_processor = _load_processor  # type: ignore[method-assign,assignment]
    Serve(force_model=sys.argv[1], device="cpu", dtype="float32", host="127.0.0.1", port=int(sys.argv[2]))
