"""POST /api/turns: the forms and files that the page sends, and those that are refused."""

import re
from io import BytesIO

import httpx
import pytest
from PIL import Image

from core.values import new_id
from tests.integration.web.site import Site, ask, picture, serving
from tests.processes import Installation

NOBODY = "0" * 32


@pytest.fixture
def page(site: Site) -> httpx.Client:
    return site.visitor()


def test_unreadable_files_are_named_and_the_others_used(site: Site, page: httpx.Client) -> None:
    files = [("ok.png", picture()), ("notes.txt", b"hello"), ("cut.png", picture()[:40])]
    turn = ask(page, "Some?", *files).json()["turn"]
    assert [p["name"] for p in turn["pictures"]] == ["ok.png"]
    assert [r["name"] for r in turn["refused"]] == ["notes.txt", "cut.png"]
    assert all(r["message"] for r in turn["refused"])


def test_only_unreadable_files(site: Site, page: httpx.Client) -> None:
    before = site.turns()
    response = ask(page, "None?", ("notes.txt", b"hello"), ("cut.png", picture()[:40]))
    assert response.status_code == 422
    message = response.json()["error"]["message"]
    assert "notes.txt: " in message
    assert "cut.png: " in message
    assert site.turns() == before


def test_a_file_name_is_only_a_name(site: Site, page: httpx.Client) -> None:
    names = ["../../etc/passwd", "C:\\pictures\\cat.png", "n" * 400 + ".png", "line\nbreak\0.png", "🐈.png"]
    turn = ask(page, "Names?", *[(name, picture()) for name in names]).json()["turn"]
    shown = [p["name"] for p in turn["pictures"]]
    assert shown[0] == "passwd"
    assert shown[1] == "cat.png"
    assert shown[2].endswith("n.png")
    assert len(shown[2]) <= 200
    assert "\n" not in shown[3]
    assert shown[4] == "🐈.png"


def test_every_page_of_a_pdf_is_a_picture(site: Site, page: httpx.Client) -> None:
    out = BytesIO()
    pages = [Image.new("RGB", (80, 60), colour) for colour in ("red", "green")]
    pages[0].save(out, "PDF", save_all=True, append_images=pages[1:])
    turn = ask(page, "Pages?", ("doc.pdf", out.getvalue())).json()["turn"]
    assert [p["name"] for p in turn["pictures"]] == ["doc.pdf", "doc.pdf"]
    assert turn["pictures"][0]["key"] != turn["pictures"][1]["key"]


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"question": ""}, 422, "empty_question"),
        ({"question": " \n"}, 422, "empty_question"),
        ({"question": "x" * 16_001}, 422, "question_too_long"),
        ({"client_id": ""}, 400, "invalid_value"),
        ({"client_id": "short"}, 400, "invalid_value"),
        ({"client_id": "x" * 65}, 400, "invalid_value"),
        ({"client_id": "../../../x"}, 400, "invalid_value"),
        ({"conversation_id": NOBODY}, 404, "not_found"),
        ({"conversation_id": "../x"}, 404, "not_found"),
        ({"conversation_id": "x\0y"}, 404, "not_found"),
    ],
)
def test_a_form_that_is_wrong(site: Site, page: httpx.Client, fields: dict[str, str], status: int, code: str) -> None:
    before = site.turns()
    data = {"question": "Wrong?", "client_id": new_id(), **fields}
    response = page.post("/api/turns", data=data, files={"nothing": ("", b"")})
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    assert site.turns() == before


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data", b"--x--"),
        ("multipart/form-data; boundary=x", b"nonsense"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--\r\n"),
        ("multipart/form-data; boundary=x; charset=nope", b"--x--\r\n"),
        ("application/x-www-form-urlencoded", b"question=a&client_id=12345678"),
    ],
)
def test_a_body_that_is_no_form(page: httpx.Client, kind: str, body: bytes) -> None:
    response = page.post("/api/turns", content=body, headers={"content-type": kind})
    assert response.status_code == 400
    assert re.search("Please reload the page|Send this as|must be", response.json()["error"]["message"])


def test_text_and_files_in_each_others_place(page: httpx.Client) -> None:
    file_as_question = page.post("/api/turns", data={"client_id": new_id()}, files={"question": ("q", b"x")})
    assert (file_as_question.status_code, file_as_question.json()["error"]["code"]) == (400, "invalid_value")
    data = {"question": "Text as picture?", "client_id": new_id(), "pictures": "x"}
    text_as_picture = page.post("/api/turns", data=data, files={"nothing": ("", b"")})
    assert text_as_picture.json()["turn"]["pictures"] == []


def test_odd_characters_in_a_question(page: httpx.Client) -> None:
    fields = {"question": "Odd \0 \u202e ⭐?"}
    response = page.post("/api/turns", data={**fields, "client_id": new_id()}, files={"nothing": ("", b"")})
    assert response.json()["turn"]["question"] == "Odd  \u202e ⭐?"


def test_lines_count_and_arrive_as_they_were_written(site: Site, page: httpx.Client) -> None:
    with serving(site.at, question_max_chars=7) as small:
        browser = small.visitor()
        # What a form makes of "One\ntwo": one character more.
        asked = ask(browser, "One\r\ntwo")
        assert asked.status_code == 201
        assert asked.json()["turn"]["question"] == "One\ntwo"
        assert ask(browser, "One\r\ntwo!").json()["error"]["code"] == "question_too_long"


def test_a_file_that_is_too_large_is_told_the_limit(at: Installation) -> None:
    with serving(at, picture_max_bytes=2048) as site:
        refused = ask(site.visitor(), "Large?", ("a.png", picture() + b"x" * 2048))
    assert refused.status_code == 422
    message = refused.json()["error"]["message"]
    assert message == "a.png: This file is larger than 2 KB. Please send a smaller version."


def test_too_many_pictures(site: Site, page: httpx.Client) -> None:
    before = site.turns()
    response = ask(page, "Many?", *[(f"{n}.png", picture()) for n in range(11)])
    assert (response.status_code, response.json()["error"]["code"]) == (422, "too_many_pictures")
    assert response.json()["error"]["message"] == "Please send at most 10 pictures with one question."
    # More than are even looked at.
    far = ask(page, "Far too many?", *[(f"{n}.png", picture()) for n in range(40)])
    assert (far.status_code, far.json()) == (422, response.json())
    assert site.turns() == before


def test_pages_count_as_pictures(site: Site, page: httpx.Client) -> None:
    out = BytesIO()
    pages = [Image.new("RGB", (8, 6), colour) for colour in ("red", "green", "blue", "white")]
    pages[0].save(out, "PDF", save_all=True, append_images=pages[1:])
    response = ask(page, "Many pages?", *[(f"{n}.pdf", out.getvalue()) for n in range(3)])
    assert (response.status_code, response.json()["error"]["code"]) == (422, "too_many_pictures")
    assert response.json()["error"]["message"].startswith("These files have 12 pictures; each page of a document")
