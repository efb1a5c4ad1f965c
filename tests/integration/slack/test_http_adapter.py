"""The whole adapter in HTTP mode: installed by OAuth, asked, sent everything twice, and removed."""

import json
from collections.abc import Iterator
from time import time
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from bots.slack.manifest import EVENTS_PATH, INSTALL_PATH
from core.values import TurnState
from tests.fakes.slack import FakeSlack, Workspace, signed_headers
from tests.integration.slack.many import KEY, PUBLIC_URL
from tests.integration.slack.office import Office, adapter_over
from tests.processes import Installation, until


@pytest.fixture(scope="module")
def http(slack_at: Installation) -> Iterator[Office]:
    """Any workspace can install it; there is no bot token in the environment."""
    with FakeSlack() as slack:
        changes: dict[str, Any] = {
            "slack_bot_token": SecretStr(""),
            "slack_app_token": SecretStr(""),
            "slack_transport": "http",
            "slack_client_id": slack.client_id,
            "slack_client_secret": SecretStr(slack.client_secret),
            "slack_token_keys": SecretStr(KEY),
            "public_url": PUBLIC_URL,
        }
        with adapter_over(slack_at, slack, **changes) as made:
            yield made


def to_us(office: Office, method: str, address: str, **parts: Any) -> httpx.Response:
    """A request to the bots' web app, in its own loop."""

    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(office.app), base_url=PUBLIC_URL) as client:
            return await client.request(method, address, **parts)

    return office.run(send())


def install(office: Office, team: Workspace) -> None:
    with office.slack.lock:
        office.slack.oauth.installer = (team.id, "U0INSTALLER")
    sent = to_us(office, "GET", INSTALL_PATH)
    agreed = httpx.get(sent.headers["location"])
    cookie = sent.headers["set-cookie"].partition(";")[0]
    assert to_us(office, "GET", agreed.headers["location"], headers={"cookie": cookie}).status_code == 200


def post(office: Office, team: Workspace, event: dict[str, Any], event_id: str, at: int = 0) -> int:
    """An event as Slack posts it; the status."""
    payload = {
        "type": "event_callback",
        "team_id": team.id,
        "event_id": event_id,
        "event_time": int(time()),
        "event": event,
        "authorizations": [{"team_id": team.id, "user_id": team.bot_user.id, "is_bot": True}],
    }
    body = json.dumps(payload).encode()
    headers = signed_headers(office.slack.signing_secret, body, at or int(time()))
    headers["Content-Type"] = "application/json"
    return to_us(office, "POST", EVENTS_PATH, content=body, headers=headers).status_code


def question(text: str, ts: str) -> dict[str, Any]:
    """A direct message."""
    return {"type": "message", "channel_type": "im", "channel": "D0HTTP", "user": "U0HTTP", "text": text, "ts": ts}


def test_what_is_sent_again_is_one_question(http: Office) -> None:
    team = http.slack.add_workspace("replayed", scopes=None)
    install(http, team)
    event, now = question("Replayed?", "1760000000.000100"), int(time())

    # The very same bytes, a retry of Slack's with a signature of its own, and the same message under another event.
    for event_id, at in (("Ev0A", now), ("Ev0A", now), ("Ev0A", now - 60), ("Ev0B", now)):
        assert post(http, team, event, event_id, at) == 200

    (turn,) = http.turns_about("Replayed?")
    assert turn.state in (TurnState.READY, TurnState.GATHERING)
    assert post(http, team, question("Late?", "1760000000.000200"), "Ev0C", now - 400) == 401
    assert http.turns_about("Late?") == []


def test_a_workspace_comes_and_goes(http: Office) -> None:
    team = http.slack.add_workspace("passing", scopes=None)
    # Not installed: taken note of, so that Slack does not send it again, and no question.
    assert post(http, team, question("Too early?", "1760000001.000100"), "Ev1A") == 200
    assert http.turns_about("Too early?") == []

    install(http, team)
    assert post(http, team, question("In time?", "1760000001.000200"), "Ev1B") == 200
    (turn,) = http.turns_about("In time?")

    with http.slack.lock:
        del http.slack.world.grants[http.slack.token_of(team)]
    revoked = {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [team.bot_user.id]}}
    assert post(http, team, revoked, "Ev1C") == 200
    assert post(http, team, {"type": "app_uninstalled"}, "Ev1D") == 200
    until(lambda: http.turn(turn.id).state == TurnState.CANCELLED, "the question is stopped")

    assert post(http, team, question("Too late?", "1760000001.000300"), "Ev1E") == 200
    assert http.turns_about("Too late?") == []
