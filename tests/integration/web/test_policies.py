"""What admins decide, for the page and for programs: 429 with the time to wait, 403, in each one's own form."""

from collections.abc import Iterator
from typing import Any

import openai
import pytest

from core.values import Platform, utc_now
from tests.deciding import decide, until_noticed
from tests.integration.web.site import Site, ask, serving
from tests.processes import Installation, installation


@pytest.fixture(scope="module")
def own_at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("policies")) as made:
        yield made


@pytest.fixture(scope="module")
def site(own_at: Installation) -> Iterator[Site]:
    """A server of this file's own, since what is decided holds for everybody."""
    with serving(own_at) as made:
        yield made


def decided(site: Site, platform: Platform, **document: Any) -> None:
    decide(site.at.store, platform, "local", **document)
    until_noticed(site.at.store, site.services.policies)


def body(question: str) -> dict[str, object]:
    return {"model": "scripted:echo", "messages": [{"role": "user", "content": question}], "stream": True}


def test_the_page_is_told_when_it_can_ask_again(site: Site) -> None:
    decided(site, Platform.WEB, questions_per_minute=1)
    page = site.visitor()
    assert ask(page, "First of the page").status_code == 201
    refused = ask(page, "Second of the page")
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    error = refused.json()["error"]
    assert error["code"] == "quota_reached"
    assert error["message"].startswith("You have reached the limit for questions: 1 in a minute.")
    # Somebody else's browser is somebody else.
    assert ask(site.visitor(), "First of another").status_code == 201


def test_a_program_is_told_in_openais_form(site: Site) -> None:
    decided(site, Platform.API, questions_per_minute=1)
    program = site.program()
    with program.stream("POST", "/v1/chat/completions", json=body("First of a program")) as begun:
        assert begun.status_code == 200
        refused = program.post("/v1/chat/completions", json=body("Second of a program"))
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert "x-should-retry" not in refused.headers
    assert refused.json()["error"] == {
        "message": refused.json()["error"]["message"],
        "type": "rate_limit_error",
        "param": None,
        "code": "rate_limit_exceeded",
    }
    decided(site, Platform.API, questions_per_day=1)
    with pytest.raises(openai.RateLimitError) as caught:
        # Its client would repeat; not for the rest of the day.
        site.openai(max_retries=3).chat.completions.create(
            model="scripted:echo", messages=[{"role": "user", "content": "Third"}]
        )
    tomorrow = 24 * 3600 - (utc_now() - utc_now().replace(hour=0, minute=0, second=0)).seconds
    assert abs(int(caught.value.response.headers["retry-after"]) - tomorrow) < 120


def test_who_is_not_served(site: Site) -> None:
    decided(site, Platform.API, people=["key:shop"])
    refused = site.program().post("/v1/chat/completions", json=body("Let me in"))
    assert refused.status_code == 403
    assert refused.json()["error"]["code"] == "not_served"
    assert refused.json()["error"]["type"] == "permission_error"
    decided(site, Platform.WEB, people=["key:shop"])
    assert ask(site.visitor(), "Let me in").status_code == 403


def test_try_again_counts_tokens_but_is_no_question(site: Site) -> None:
    decided(site, Platform.WEB, questions_per_day=1)
    page = site.visitor()
    turn = ask(page, "Fails at first").json()["turn"]
    for _ in range(2):
        site.take("Fails at first").fail("deadline", "Too slow.")
        assert page.post(f"/api/turns/{turn['id']}/retry").status_code == 200
    site.take("Fails at first").fail("deadline", "Too slow.")
    # The budget is used up by somebody else.
    ask(site.visitor(), "Costs tokens")
    site.take("Costs tokens").answer("A lot.")
    decided(site, Platform.WEB, workspace_tokens_per_day=35)
    refused = page.post(f"/api/turns/{turn['id']}/retry")
    assert refused.status_code == 429
    assert "used up its budget" in refused.json()["error"]["message"]
