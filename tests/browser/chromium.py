"""Finding the Chromium that drives the chat page."""

import os
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
HOW_TO_GET_ONE = "no Chromium here: `apt-get install chromium`, or name one in GLIMT_TEST_CHROMIUM"


def find_chromium() -> str | None:
    """Path of the browser: GLIMT_TEST_CHROMIUM, else the first of the usual names on PATH."""
    named = os.environ.get("GLIMT_TEST_CHROMIUM")
    return shutil.which(named) if named else next(filter(None, map(shutil.which, NAMES)), None)
