"""A Bot API server of one's own with --local: no limit of 20 MB; files are read from its folder and nowhere else."""

from pathlib import Path
from typing import Any

import pytest

from tests.fakes.telegram import FakeTelegram
from tests.integration.telegram.stand import adapter_over
from tests.integration.web.site import picture
from tests.processes import Installation

RED = picture("red", size=(320, 240))


def folder_of(telegram: FakeTelegram) -> Path:
    assert telegram._disk is not None
    return Path(telegram._disk.name)


def asked(at: Installation, telegram: FakeTelegram, size: int = 0, **settings: Any) -> tuple[str, str]:
    """The state of a picture that somebody sent, and why."""
    with adapter_over(at, telegram, **settings) as stand:
        ann = telegram.user("ann")
        more = {"size": size} if size else {}
        said = telegram.document(ann, telegram.private(ann), "large.png", RED, "What is it?", **more)
        (attachment,) = stand.ready(said).attachments
        return attachment.state, attachment.error_message


def test_files_are_read_from_its_folder(fresh_at: Installation) -> None:
    with FakeTelegram(local=True) as telegram:
        large = {"picture_max_bytes": 100_000_000, "telegram_files_dir": folder_of(telegram)}
        assert asked(fresh_at, telegram, 50_000_000, **large) == ("stored", "")
        assert telegram.fetches == []


@pytest.mark.parametrize("folder", [None, "elsewhere"])
def test_no_other_file_of_this_machine_is_read(fresh_at: Installation, tmp_path: Path, folder: str | None) -> None:
    with FakeTelegram(local=True) as telegram:
        chosen = tmp_path / folder if folder else None
        state, why = asked(fresh_at, telegram, telegram_files_dir=chosen)

    assert state == "refused"
    assert why == "Telegram's server keeps it where I cannot read it. Please tell your admin."
