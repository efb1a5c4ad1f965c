"""Which token opens which workspace: from the environment, by OAuth, renewed in time, and never for others."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from bots.slack.access import open_access
from bots.slack.authorize import BELIEVED_S, RENEW_BEFORE_S, WorkspaceTokens
from bots.slack.clients import Installed
from core.settings import load_settings
from tests.fakes.slack import FakeSlack, Workspace
from tests.fakes.slack.methods.installation import ROTATION_SECONDS
from tests.integration.slack.many import Many, many


@pytest.fixture
def fake() -> Iterator[FakeSlack]:
    with FakeSlack() as made:
        yield made


@asynccontextmanager
async def one(fake: FakeSlack, **changes: object) -> AsyncIterator[WorkspaceTokens]:
    """Of an installation with a bot token alone."""
    given = {
        "slack_bot_token": fake.bot_token,
        "slack_app_token": "xapp-1-A0-1-x",
        "slack_api_url": fake.api_url,
        "database_url": "sqlite:////nowhere/needed.db",
    }
    settings = load_settings(_env_file=None, **{**given, **changes})
    async with aiohttp.ClientSession() as session, open_access(settings, session) as access:
        assert access.installations is None
        yield WorkspaceTokens(settings, access.client, None, fake.world.clock.now)


def calls(fake: FakeSlack, method: str) -> int:
    return sum(call.method == method for call in fake.calls)


def test_a_bot_token_opens_its_own_workspace_and_slack_is_asked_once(fake: FakeSlack) -> None:
    async def ask() -> None:
        async with one(fake) as tokens:
            found = await asyncio.gather(*(tokens(fake.workspace.id) for _ in range(20)))
            assert set(found) == {Installed(fake.bot_token, fake.workspace.bot_user.id, fake.workspace.bot_id)}
            assert await tokens("T0OTHER") is None
            assert await tokens("") is None
            assert calls(fake, "auth.test") == 1

    asyncio.run(ask())


def test_the_list_of_workspaces_counts_for_it_too(fake: FakeSlack) -> None:
    async def ask() -> None:
        async with one(fake, slack_workspaces=("T0OTHER",)) as tokens:
            assert await tokens(fake.workspace.id) is None
            assert calls(fake, "auth.test") == 0

    asyncio.run(ask())


def test_a_dead_token_opens_nothing_and_an_answer_that_fails_is_no_answer(fake: FakeSlack) -> None:
    async def ask() -> None:
        async with one(fake) as tokens:
            fake.faults.refuse("auth.test", "fatal_error")
            with pytest.raises(SlackApiError):
                await tokens(fake.workspace.id)
            assert await tokens(fake.workspace.id) is not None

            fake.uninstall()
            fake.advance(BELIEVED_S)
            assert await tokens(fake.workspace.id) is None

    asyncio.run(ask())


def run(fake: FakeSlack, sql_url: str, what: Callable[[Many, Workspace], Awaitable[None]], **changes: object) -> None:
    """With a workspace that has installed the app, with tokens that expire."""

    async def opened() -> None:
        team = fake.add_workspace("globex", scopes=None)
        async with many(fake, sql_url, **changes) as made:
            fake.oauth.rotates = True
            assert (await made.install(team)).status_code == 200
            await what(made, team)

    asyncio.run(opened())


def test_a_token_is_renewed_before_it_expires(fake: FakeSlack, sql_url: str) -> None:
    async def rotate(it: Many, team: Workspace) -> None:
        first = await it.installed(team)
        fake.advance(ROTATION_SECONDS - RENEW_BEFORE_S - 60)
        assert await it.installed(team) == first

        # Many events at once, one renewal: Slack takes a refresh token once.
        fake.advance(61)
        renewed = await asyncio.gather(*(it.installed(team) for _ in range(20)))
        assert {found.bot_token for found in renewed} == {fake.token_of(team)} != {first.bot_token}
        assert calls(fake, "oauth.v2.access") == 2
        said = await it.access.client.auth_test(token=renewed[0].bot_token)
        assert said["team_id"] == team.id

    run(fake, sql_url, rotate)


def test_two_processes_that_renew_at_once_both_go_on(fake: FakeSlack, sql_url: str) -> None:
    async def rotate(it: Many, team: Workspace) -> None:
        async with many(fake, sql_url) as other:
            fake.advance(ROTATION_SECONDS - RENEW_BEFORE_S + 1)
            mine, theirs = await asyncio.gather(it.installed(team), other.installed(team))

            for found in (mine, theirs):
                assert (await it.access.client.auth_test(token=found.bot_token))["team_id"] == team.id
            stored = await it.access.installations.of_team(team.id) if it.access.installations else None
            assert stored is not None
            assert stored.bot_token in (mine.bot_token, theirs.bot_token)

    run(fake, sql_url, rotate)


def test_a_token_that_cannot_be_renewed_is_used_to_its_end(fake: FakeSlack, sqlite_url: str) -> None:
    async def rotate(it: Many, team: Workspace) -> None:
        first = await it.installed(team)
        with fake.lock:
            fake.oauth.refresh.clear()
        fake.advance(ROTATION_SECONDS - RENEW_BEFORE_S + 1)
        assert await it.installed(team) == first

        fake.advance(RENEW_BEFORE_S)
        assert await it.tokens(team.id) is None

    run(fake, sqlite_url, rotate)


def test_while_slack_is_away_a_good_token_stays_good(fake: FakeSlack, sqlite_url: str) -> None:
    async def rotate(it: Many, team: Workspace) -> None:
        first = await it.installed(team)
        fake.advance(ROTATION_SECONDS - RENEW_BEFORE_S + 1)
        fake.faults.lose_answer("oauth.v2.access")
        assert (await it.installed(team)).bot_token == first.bot_token

    run(fake, sqlite_url, rotate)


def test_the_bot_token_and_installed_workspaces_go_together(fake: FakeSlack, sqlite_url: str) -> None:
    async def both(it: Many, team: Workspace) -> None:
        assert (await it.installed(fake.workspace)).bot_token == fake.bot_token
        assert (await it.installed(team)).bot_token == fake.token_of(team) != fake.bot_token
        assert await it.tokens("T0NOBODY") is None

    run(fake, sqlite_url, both, slack_bot_token=fake.bot_token)
