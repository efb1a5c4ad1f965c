"""`glimt eval`: models side by side on a file of questions, with the failures on a page; and files that are wrong."""

import json
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from core.errors import ConfigurationError, NotFound
from core.inference.source import DEMO
from glimt.evaluation.data import read_items
from glimt.evaluation.page import render
from glimt.evaluation.run import Scored, Side, table
from glimt.evaluation.score import anls, exact
from tests.integration.glimt.command import glimt

STAR = {
    "picture": "star.png",
    "question": "What is in the top left?",
    "answers": ["star", "a red star"],
    "kind": "shape",
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "star.png").write_bytes((DEMO / "sample.png").read_bytes())
    image = Image.new("RGB", (400, 400), "white")
    ImageDraw.Draw(image).ellipse((40, 40, 140, 140), fill=(214, 38, 38))
    image.save(tmp_path / "circle.png")
    (tmp_path / "broken.png").write_text("<script>alert(1)</script>")
    rows = [
        STAR,
        {"picture": "circle.png", "question": "What colour is the circle?", "answers": ["red"], "kind": "colour"},
        {"pictures": ["broken.png"], "question": "What is <b>this</b>?", "answers": ["<i>nothing</i>"]},
    ]
    file = tmp_path / "data.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows) + "\n\n")
    return file


def test_models_stand_side_by_side_and_failures_on_a_page(data: Path, tmp_path: Path) -> None:
    page = tmp_path / "out" / "page.html"
    models = ("--model", "demo", "--model", "scripted:echo", "--model", "/no/such/folder")
    done = glimt(tmp_path, "eval", str(data), *models, "--json", "--html", str(page))
    assert done.returncode == 0, done.stderr
    demo, echo, missing = json.loads(done.stdout)
    assert (demo["model"], demo["exact"], demo["questions"], demo["failed"]) == ("demo", 0.6667, 3, 1)
    assert demo["kinds"]["shape"] == {"right": 1, "of": 1}
    assert demo["peak_mib"] > 100
    assert demo["first_token_s"] > 0
    assert demo["questions_per_s"] > 0
    assert (echo["exact"], echo["failed"]) == (0.0, 1)
    assert "no/such/folder" in missing["error"]
    assert "Traceback" not in done.stderr

    html = page.read_text()
    assert html.count("<article>") == 3
    assert html.count("data:image/jpeg;base64,") == 2
    assert "What is &lt;b&gt;this&lt;/b&gt;?" in html
    assert "<script" not in html
    assert "&lt;i&gt;nothing&lt;/i&gt;" in html


def test_no_model_at_all_is_a_failure(data: Path, tmp_path: Path) -> None:
    done = glimt(tmp_path, "eval", str(data), "--model", "/no/such/folder", "--limit", "1")
    assert done.returncode == 1
    assert "No model answered" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("line", "error", "words"),
    [
        ("{", ConfigurationError, "line 2: this is no JSON"),
        ("[1]", ConfigurationError, "line 2: an object"),
        (json.dumps(STAR | {"answer": "star"}), ConfigurationError, "'answer' is not known here"),
        (json.dumps(STAR | {"answers": []}), ConfigurationError, "at least one"),
        (json.dumps(STAR | {"answers": [3]}), ConfigurationError, "`answers` is a list"),
        (json.dumps(STAR | {"question": " "}), ConfigurationError, "`question` is missing"),
        (json.dumps(STAR | {"picture": 3}), ConfigurationError, "`picture` is a path"),
        (json.dumps(STAR | {"kind": 3}), ConfigurationError, "`kind` is a word"),
        (json.dumps(STAR | {"picture": "gone.png"}), NotFound, "line 2: there is no"),
    ],
)
def test_a_line_that_is_wrong_is_named(data: Path, line: str, error: type[Exception], words: str) -> None:
    data.write_text(json.dumps(STAR) + "\n" + line + "\n")
    with pytest.raises(error, match=words):
        read_items(data)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"none\.jsonl"):
        read_items(tmp_path / "none.jsonl")
    (tmp_path / "empty.jsonl").write_text("\n")
    with pytest.raises(ConfigurationError, match="no questions"):
        read_items(tmp_path / "empty.jsonl")
    (tmp_path / "latin.jsonl").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        read_items(tmp_path / "latin.jsonl")


@pytest.mark.parametrize(
    ("said", "answers", "same", "likeness"),
    [
        ("A red star.", ["the red star"], True, 1.0),
        ("$12.50.", ["12.50", "$12.50"], True, 1.0),
        ("$12.5", ["$12.50"], False, 5 / 6),
        ("colour", ["color"], False, 5 / 6),
        ("no", ["a shoe"], False, 0.0),
        ("", ["yes"], False, 0.0),
        ("红色。", ["红色"], True, 1.0),
    ],
)
def test_scores(said: str, answers: list[str], same: bool, likeness: float) -> None:
    assert exact(said, answers) is same
    assert anls(said, answers) == pytest.approx(likeness)


def test_the_table_has_a_column_for_each_model(data: Path) -> None:
    (item, *_) = read_items(data, limit=1)
    good = Side("one", (Scored(item, "star", True, 1.0),), 1.0, 2.0, 0.1, 5 << 20, 3 << 20, kinds={"shape": (1, 1)})
    bad = Side("two", error="it is not here")
    lines = table([good, bad]).splitlines()
    assert lines[0].split() == ["one", "two"]
    assert lines[1].split() == ["exact", "match", "100.0%", "–"]
    assert ["of", "the", "GPU,", "at", "most", "3", "MiB", "–"] in [line.split() for line in lines]
    assert "it is not here" in render("data.jsonl", [good, bad])
