"""Whatever people, models and browsers write is text, and nothing else."""

import re

import httpx
import pytest

from core.conversation.inbound import Named
from core.values import Platform
from tests.integration.console.talk import Talk, safe
from tests.integration.web.site import picture

XSS = '<img src=x onerror="alert(1)"><script>alert(2)</script>{{7*7}}\'"`'


def test_whatever_people_and_models_write_is_text(talk: Talk, owner: httpx.Client) -> None:
    with talk.desk.store.write() as repositories:
        workspace = repositories.people.workspace(Platform.WEB, talk.workspace, name=XSS)
        repositories.people.person(workspace.id, "ann", display_name=XSS)
    named = Named(XSS, safe(picture()).picture)
    accepted = talk.answered(
        XSS,
        f"{XSS}\n\n[x](javascript:alert(1)) ![x](https://evil.example/a.png) <b>b</b>\n\n```\n{XSS}\n```",
        named,
        thinking=XSS,
        model=XSS,
        observations=[{"picture": "0" * 64, "model": XSS, "text": XSS}],
        boxes=[{"label": XSS, "left": 0, "top": 0, "right": 1, "bottom": 1}],
    )
    attachment = talk.attachment(accepted.turn_id).id
    for path in (
        "/",
        "/?q=onerror",
        f"/?q={XSS}",
        f"/conversations/{accepted.conversation_id}",
        f"/turns/{accepted.turn_id}",
        f"/turns/{accepted.turn_id}/pictures/{attachment}",
        "/admins",
        "/audit",
        f"/audit?who={XSS}",
    ):
        page = owner.get(path)
        assert page.status_code == 200, path
        tags = re.findall(r"<(script|img)\b[^>]*>", page.text)
        assert 'onerror="' not in page.text, path
        assert "alert(2)</script>" not in page.text, path
        assert "49'" not in page.text, path
        # A part of a page has no script at all.
        ours = page.text.count('<script src="/static/') if "<html" in page.text else 0
        assert tags.count("script") == ours, path
        assert 'evil.example/a.png"' not in page.text


@pytest.mark.parametrize(
    "query",
    [
        "platform=mars",
        "workspace=x",
        "place=../..",
        "state=zz",
        "feedback=zz",
        "mode=Z!",
        "slow=x",
        "slow=-1",
        "slow=nan",
        "slow=1e99",
        "since=yesterday",
        "until=9999-12-31",
        "before=zz",
        "before=2026-01-01_x",
        "before=2026-01-01T00:00:00_" + "0" * 32,
        "q=x&before=zz",
    ],
)
def test_a_filter_that_says_nothing_is_refused(owner: httpx.Client, query: str) -> None:
    answer = owner.get(f"/?{query}")
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text


@pytest.mark.parametrize("q", ["?!", "'", '"', "%", "a" * 300, "x" * 5 + "\x00", "* OR *", "\\", "😀"])
def test_any_search_is_answered(owner: httpx.Client, q: str) -> None:
    assert owner.get("/", params={"q": q}).status_code == 200
