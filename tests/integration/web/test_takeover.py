"""The chat page's API while a person answers: what is said comes without a question, and only to whom it is said."""

import httpx
import pytest

from core.conversation.takeover import return_idle
from core.values import TurnState, utc_now
from tests.integration.operating import Operator
from tests.integration.web.site import Site, ask, picture


@pytest.fixture
def page(site: Site) -> httpx.Client:
    return site.visitor()


def answered(site: Site, page: httpx.Client, question: str) -> str:
    """A conversation with one answer."""
    conversation = str(ask(page, question).json()["conversation_id"])
    site.take(question).answer("A red dress.")
    return conversation


def operator(site: Site) -> Operator:
    return Operator(site.at.store, site.at.redis, site.settings)


def test_a_page_learns_of_every_change_and_reads_what_was_said(site: Site, page: httpx.Client) -> None:
    thread = answered(site, page, "Taken over?")
    address = f"/api/conversations/{thread}"
    before = page.get(address).json()
    assert (before["human"], before["notices"]) == (False, [])

    def news(known: str) -> str:
        """The version after something has changed; nothing before."""
        changed = page.get(f"{address}/version", params={"known": known})
        assert changed.status_code == 200
        version = str(changed.json()["version"])
        assert page.get(f"{address}/version", params={"known": version}).status_code == 204
        return version

    assert page.get(f"{address}/version", params={"known": before["version"]}).status_code == 204
    anna = operator(site)
    anna.take(thread)
    version = news(before["version"])
    asked = ask(page, "In blue?", conversation_id=thread).json()["turn"]
    assert (asked["state"], asked["by_human"]) == ("handed_over", False)
    version = news(version)
    anna.say(thread, "Yes.", [anna.picture("blue")])
    version = news(version)
    anna.say(thread, "And in green.")
    version = news(version)
    shown = page.get(address).json()
    assert shown["human"] is True
    assert [(t["question"], t["answer"], t["by_human"]) for t in shown["turns"]] == [
        ("Taken over?", "A red dress.", False),
        ("In blue?", "Yes.", True),
        ("", "And in green.", True),
    ]
    (sent,) = shown["turns"][1]["answer_pictures"]
    assert shown["turns"][1]["pictures"] == []
    assert page.get(sent["url"]).content == picture("blue", size=(64, 48))
    # It was shown, so it has arrived.
    site.until_state(asked["id"], TurnState.DELIVERED)
    anna.back(thread)
    news(version)
    after = page.get(address).json()
    assert after["human"] is False
    assert [(n["turn"], n["early"]) for n in after["notices"]] == [
        (shown["turns"][0]["id"], False),
        (shown["turns"][2]["id"], False),
    ]
    assert after["notices"][1]["text"] == "I answer here again."


def test_nobody_else_sees_any_of_it(site: Site, page: httpx.Client) -> None:
    thread = answered(site, page, "Whose words?")
    anna = operator(site)
    anna.take(thread)
    anna.say(thread, "Yours.", [anna.picture("green")])
    (sent,) = page.get(f"/api/conversations/{thread}").json()["turns"][1]["answer_pictures"]
    stranger = site.visitor()
    for address in (f"/api/conversations/{thread}", f"/api/conversations/{thread}/version", sent["url"]):
        assert stranger.get(address).status_code == 404


def test_left_alone_the_bot_answers_what_was_asked(site: Site, page: httpx.Client) -> None:
    thread = answered(site, page, "Left alone?")
    operator(site).take(thread)
    asked = ask(page, "Is nobody there?", conversation_id=thread).json()["turn"]
    # Others that were taken over here are left alone, too.
    assert thread in return_idle(site.at.store, 0, 5, utc_now())
    site.take("Is nobody there?").answer("I am.")
    shown = page.get(f"/api/conversations/{thread}").json()
    assert [(t["id"], t["answer"]) for t in shown["turns"]][1] == (asked["id"], "I am.")
    texts = [notice["text"] for notice in shown["notices"]]
    assert texts[-1] == "The person has left this conversation. I answer here again."
    # That was said first.
    assert [(notice["turn"], notice["early"]) for notice in shown["notices"]][-1] == (asked["id"], True)


def test_a_question_that_a_person_will_answer_ends_its_stream(site: Site, page: httpx.Client) -> None:
    thread = answered(site, page, "A stream?")
    operator(site).take(thread)
    asked = ask(page, "Followed?", conversation_id=thread).json()["turn"]
    stream = page.get(f"/api/turns/{asked['id']}/events").text
    assert "event: end" in stream
    assert '"state":"handed_over"' in stream
