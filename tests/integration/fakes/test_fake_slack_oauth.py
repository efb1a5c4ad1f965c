"""Installation in more workspaces than one: Bolt's own OAuth flow against the fake, rotation, refusal."""

import asyncio
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from aiohttp import web
from slack_bolt.async_app import AsyncApp
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.oauth.installation_store import FileInstallationStore
from slack_sdk.oauth.state_store import FileOAuthStateStore
from slack_sdk.web.async_client import AsyncWebClient

from tests.fakes.slack import FakeSlack


def test_bolt_installs_itself_and_answers_in_the_new_workspace(
    slack: FakeSlack, loop: asyncio.Runner, tmp_path: Path
) -> None:
    async def run() -> None:
        other = slack.add_workspace("other", scopes=None)
        with pytest.raises(LookupError):
            slack.token_of(other)
        carol = slack.user("carol", workspace=other)
        slack.oauth.installer = (other.id, carol.id)
        settings = AsyncOAuthSettings(
            client_id=slack.client_id,
            client_secret=slack.client_secret,
            scopes=["chat:write", "im:history"],
            install_page_rendering_enabled=False,
            authorization_url=f"{slack.url}/oauth/v2/authorize",
            installation_store=FileInstallationStore(base_dir=str(tmp_path / "installed")),
            state_store=FileOAuthStateStore(expiration_seconds=60, base_dir=str(tmp_path / "states")),
        )
        app = AsyncApp(
            signing_secret=slack.signing_secret,
            client=AsyncWebClient(base_url=slack.api_url),
            oauth_settings=settings,
            process_before_response=True,
        )

        @app.event("message")
        async def answer(client: AsyncWebClient, event: dict[str, str]) -> None:
            await client.chat_postMessage(channel=event["channel"], thread_ts=event["ts"], text="hello")

        runner = web.AppRunner(app.web_app(path="/slack/events"), access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        base = f"http://127.0.0.1:{runner.addresses[0][1]}"
        slack.request_url, slack.redirect_uri = f"{base}/slack/events", f"{base}/slack/oauth_redirect"
        try:
            async with httpx.AsyncClient(verify=False) as browser:
                away = await browser.get(f"{base}/slack/install")
                agreed = await browser.get(away.headers["location"])
                # Bolt marks its cookie as one for HTTPS only, which this is not.
                cookie = {"Cookie": away.headers["set-cookie"].partition(";")[0]}
                done = await browser.get(agreed.headers["location"], headers=cookie)
            assert done.status_code == 200, done.text
            im = slack.im(carol)
            said = await slack.say(carol, im, "hi")
            await slack.until(lambda: slack.answers(im, said.ts))
            assert [seen.text for seen in slack.answers(im, said.ts)] == ["hello"]
        finally:
            slack.request_url = ""
            await runner.cleanup()

    loop.run(run())


def test_tokens_that_rotate(slack: FakeSlack, client: WebClient, browser: httpx.Client) -> None:
    slack.oauth.rotates = True
    slack.oauth.installer = (slack.workspace.id, slack.user("alice").id)
    query = {"client_id": slack.client_id, "scope": "chat:write", "redirect_uri": "http://127.0.0.1:9/"}
    back = browser.get(f"{slack.url}/oauth/v2/authorize", params=query).headers["location"]
    secret = {"client_id": slack.client_id, "client_secret": slack.client_secret}
    code = parse_qs(urlsplit(back).query)["code"][0]
    first = client.oauth_v2_access(code=code, redirect_uri="http://127.0.0.1:9/", **secret)
    assert first["expires_in"] == 43_200
    slack.advance(43_201)
    with pytest.raises(SlackApiError, match="token_expired"):
        WebClient(first["access_token"], slack.api_url).auth_test()
    refresh = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = client.oauth_v2_access(**refresh, **secret)
    assert WebClient(second["access_token"], slack.api_url).auth_test()["ok"]
    with pytest.raises(SlackApiError, match="invalid_refresh_token"):
        client.oauth_v2_access(**refresh, **secret)


def test_installations_that_come_to_nothing(slack: FakeSlack, client: WebClient, browser: httpx.Client) -> None:
    page = f"{slack.url}/oauth/v2/authorize"
    query = {"client_id": slack.client_id, "scope": "chat:write", "state": "s", "redirect_uri": "http://127.0.0.1:9/"}
    slack.oauth.refused = True
    assert browser.get(page, params=query).headers["location"] == "http://127.0.0.1:9/?state=s&error=access_denied"
    slack.oauth.refused = False
    assert "invalid_client_id" in browser.get(page, params=query | {"client_id": "3.4"}).text
    assert "no_scopes" in browser.get(page, params=query | {"scope": ""}).text
    slack.oauth.installer = (slack.workspace.id, slack.user("alice").id)
    back = browser.get(page, params=query).headers["location"]
    code = parse_qs(urlsplit(back).query)["code"][0]
    secret = {"client_id": slack.client_id, "client_secret": slack.client_secret}
    with pytest.raises(SlackApiError, match="bad_redirect_uri"):
        client.oauth_v2_access(code=code, redirect_uri="http://127.0.0.1:9/elsewhere", **secret)
    with pytest.raises(SlackApiError, match="invalid_code"):
        client.oauth_v2_access(code=code, redirect_uri="http://127.0.0.1:9/", **secret)
