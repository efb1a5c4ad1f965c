"""Exports as folders, archives and pipes: whole or not there at all; and read back by what trains on them."""

import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from core.admins import Action
from core.errors import ConfigurationError, NotAllowed, NotFound, StoreError, WrongParameter
from core.export.chunks import Reach, read_chunks
from core.export.export import Export
from core.export.folder import write_file, write_folder
from core.export.options import Container, Given, Pictures, export_options
from core.export.sent import as_bytes
from core.inference.processor import load_processor, load_tokenizer
from core.inference.source import DEMO
from core.store.review.filters import Wanted
from core.store.review.scope import EVERYTHING
from glimt.export import Asked, export_conversations, export_person, filters_of_address
from tests.integration.export.test_lines import reviewed
from tests.integration.export.told import Told, safe
from tests.integration.glimt.command import glimt


def quiet() -> None:
    """Nobody is told how far it is."""


def test_a_folder_is_whole_or_not_there(plain: Told, tmp_path: Path) -> None:
    plain.answered("one", "1", safe(), thread="a")
    out = tmp_path / "new" / "out"
    write_folder(plain.export(), out, quiet)
    (line,) = [json.loads(line) for line in (out / "conversations.jsonl").read_text().splitlines()]
    assert (out / line["images"][0]).read_bytes()[:4] == b"\x89PNG"
    assert json.loads((out / "manifest.json").read_text())["lines"] == 1
    assert sorted(os.listdir(out)) == ["README.md", "conversations.jsonl", "manifest.json", "pictures"]
    assert out.stat().st_mode & 0o777 == 0o700
    assert (out / "conversations.jsonl").stat().st_mode & 0o777 == 0o600
    with pytest.raises(ConfigurationError, match="exists already"):
        write_folder(plain.export(), out, quiet)


def test_what_broke_off_is_written_anew_but_nothing_of_others(plain: Told, tmp_path: Path) -> None:
    plain.answered("one", "1", safe(), thread="a")
    key = plain.answered("two", "2", safe(colour="blue"), thread="b")
    path = _blocked(plain, safe(colour="blue").picture.key)
    out = tmp_path / "out"
    with pytest.raises(StoreError):
        write_folder(plain.export(), out, quiet)
    assert not out.exists()
    assert (tmp_path / "out.partial" / ".glimt-export").exists()
    path.rmdir()
    export = plain.export()
    write_folder(export, out, quiet)
    assert not (tmp_path / "out.partial").exists()
    assert export.counts.missing_pictures == 1, key
    other = tmp_path / "other"
    (tmp_path / "other.partial").mkdir()
    with pytest.raises(ConfigurationError, match="in the way"):
        write_folder(plain.export(), other, quiet)


def _blocked(plain: Told, key: str) -> Path:
    """A folder where the bytes of a picture should be: the blob store fails over it."""
    path = plain.settings.data_dir / "blobs" / key[:2] / key[2:4] / key
    path.unlink()
    path.mkdir()
    return path


def test_an_archive_that_broke_off_opens_nowhere(plain: Told, tmp_path: Path) -> None:
    plain.answered("one", "1", safe(), thread="a")
    plain.answered("two", "2", safe(colour="blue"), thread="b")
    whole = b"".join(as_bytes(plain.export()))
    archive = zipfile.ZipFile(io.BytesIO(whole))
    assert archive.testzip() is None
    assert all(not name.startswith("/") and ".." not in name for name in archive.namelist())
    assert archive.namelist()[-1] == "manifest.json"
    assert json.loads(archive.read("manifest.json"))["pictures"] == 2
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(io.BytesIO(whole[:-100]))
    _blocked(plain, safe(colour="blue").picture.key)
    sent = io.BytesIO()
    with pytest.raises(StoreError):
        sent.writelines(as_bytes(plain.export()))
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(sent)
    with pytest.raises(StoreError):
        write_file(as_bytes(plain.export()), tmp_path / "x.zip")
    assert not (tmp_path / "x.zip").exists()


def test_a_line_is_what_the_models_own_processor_reads(plain: Told, tmp_path: Path) -> None:
    said = plain.answered("What is this?", "A star.", safe(size=(64, 48)), thread="t")
    plain.answered("And these?", "Two moons.", safe("a.png", "blue"), safe("b.png", "green"), thread="t")
    reviewed(plain, said.turn_id, correction="A sun.")
    processor: Any = load_processor(DEMO, "glm4v", load_tokenizer(DEMO))
    for shape in ("parts", "inline"):
        out = tmp_path / shape
        write_folder(plain.export(shape=shape), out, quiet)
        line = json.loads((out / "conversations.jsonl").read_text())
        # As TRL fills in the column of images; where the picture stands in its part, its path is made whole.
        pictures = iter([Image.open(out / name) for name in line.get("images", ())])
        for part in (part for message in line["messages"] for part in message["content"]):
            if part["type"] == "image" and "path" in part:
                part["path"] = str(out / part["path"])
            elif part["type"] == "image":
                part["image"] = next(pictures)
        read = processor.apply_chat_template(line["messages"], tokenize=True, return_dict=True, return_tensors="pt")
        assert len(read["image_grid_thw"]) == 3
        words = processor.decode(read["input_ids"][0])
        assert "A sun." in words
        assert "A star." not in words


def test_pages_of_any_size_give_the_same(plain: Told) -> None:
    for n in range(25):
        plain.answered(f"q{n}", "a", thread=f"t{n % 7}")
    reach = Reach(EVERYTHING, Wanted())

    def read(**sizes: int) -> list[tuple[str, list[int]]]:
        found = read_chunks(plain.store, reach, **sizes)
        return [(chunk.head.conversation.id, [record.turn.seq for record in chunk.records]) for chunk in found]

    everything = read()
    for heads, turns in ((1, 1), (2, 3), (7, 100)):
        assert read(heads=heads, turns=turns) == everything
    assert sum(len(seqs) for _, seqs in everything) == 25
    assert everything == sorted(everything)


def test_a_long_conversation_comes_in_parts(plain: Told) -> None:
    for n in range(5):
        plain.answered(f"q{n}", "a", thread="long")
    read = read_chunks(plain.store, Reach(EVERYTHING, Wanted()), longest=2, turns=3)
    assert [(chunk.part, [r.turn.seq for r in chunk.records]) for chunk in read] == [(1, [1, 2]), (2, [3, 4]), (3, [5])]


def test_whoever_may_not_any_more_gets_no_further(plain: Told) -> None:
    for n in range(3):
        plain.answered(f"q{n}", "a", thread=f"t{n}")
    asked: list[int] = []

    def still() -> None:
        asked.append(1)
        if len(asked) > 2:
            raise NotAllowed

    options = export_options(Given({"format": "jsonl"}))
    export = Export(plain.store, plain.blobs, plain.settings, Reach(EVERYTHING, Wanted()), options, still=still)
    sent: list[bytes] = []
    with pytest.raises(NotAllowed):
        sent.extend(as_bytes(export))
    assert len(sent) == 2


def test_what_is_usual() -> None:
    assert export_options(Given()).pictures is Pictures.FILES
    assert export_options(Given(redact=("phone",))).pictures is Pictures.NONE
    assert export_options(Given({"images": "files"}, redact=("all",))).pictures is Pictures.FILES
    assert export_options(Given({"format": "jsonl"})).pictures is Pictures.NONE
    assert export_options(Given(redact=("none", ""))).redact == frozenset()
    assert export_options(Given()).container is Container.ZIP


def test_the_command_line_writes_folders_files_and_pipes(plain: Told, tmp_path: Path) -> None:
    plain.answered("Mail ann@example.org", "yes", safe(), thread="a", name="Ann Lee")
    plain.answered("another", "no", thread="b", person="bob")
    settings = plain.settings.model_copy(update={"database_url": _url(plain)})
    said: list[str] = []
    assert export_conversations(settings, str(tmp_path / "f"), Asked({"q": "mail"}, {}), said.append)
    assert said[0] == "1 lines of 1 conversations, 1 pictures"
    assert export_conversations(settings, str(tmp_path / "f.zip"), Asked({}, {}, ("all",)), said.append)
    assert b"ann@" not in zipfile.ZipFile(tmp_path / "f.zip").read("conversations.jsonl")
    pipe = io.BytesIO()
    assert export_conversations(settings, "-", Asked({"workspace": "W1"}, {}), said.append, pipe)
    assert [json.loads(line)["metadata"]["title"] for line in pipe.getvalue().splitlines()][1] == "another"
    with pytest.raises(NotFound, match="Nobody is called 'nobody'"):
        export_person(settings, "nobody", "", said.append)
    for filters, wrong in (
        ({"feedbak": "good"}, "feedbak"),
        ({"workspace": "unknown"}, "workspace"),
        ({"q": "!"}, "q"),
    ):
        with pytest.raises(WrongParameter) as refused:
            export_conversations(settings, str(tmp_path / "g"), Asked(filters, {}), said.append)
        assert refused.value.parameter == wrong
    plain.blobs.delete(safe().picture.key)
    assert not export_conversations(settings, str(tmp_path / "h"), Asked({}, {}), said.append)
    assert "gone or damaged" in said[-1]
    export_person(settings, "Ann Lee", str(tmp_path / "ann.zip"), said.append)
    assert zipfile.ZipFile(tmp_path / "ann.zip").testzip() is None
    with plain.store.read() as repositories:
        log = [entry.action for entry in repositories.audit.list()[0]]
    assert log.count(Action.EXPORTED) == 4
    assert log.count(Action.EXPORT_ENDED) == 5


def _url(plain: Told) -> str:
    with plain.store.read() as repositories:
        return str(repositories.session.get_bind().engine.url)


def test_an_address_of_the_console_is_a_filter() -> None:
    expected = {"q": "a b", "feedback": "bad"}
    for address in ("https://glimt.example.org/?q=a+b&feedback=bad", "/?q=a+b&feedback=bad", "q=a+b&feedback=bad"):
        assert filters_of_address(address) == expected


def test_the_command_as_it_is_typed(tmp_path: Path) -> None:
    unready = glimt(tmp_path, "export", "--out", "-")
    assert (unready.returncode, unready.stdout) == (1, "")
    assert "glimt db upgrade" in unready.stderr
    without = glimt(tmp_path, "export", "person", "ann", without="phonenumbers")
    assert without.returncode == 1
    assert "glimt[console]" in without.stderr
