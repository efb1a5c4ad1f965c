"""A program: makes the random checkpoint in a folder, and says where it is."""

import json
import sys
from pathlib import Path
from typing import Any

from transformers.utils.logging import disable_progress_bar

from bench.random_model import save_model


def main() -> None:
    """The first argument holds `folder` and `small`."""
    options: dict[str, Any] = json.loads(sys.argv[1])
    disable_progress_bar()
    print(json.dumps({"model": str(save_model(Path(options["folder"]), small=options["small"]))}))


if __name__ == "__main__":
    main()
