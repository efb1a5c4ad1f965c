"""Workspaces install the app by OAuth: over the pages, Slack's and ours, into the database and out again."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from bots.slack.authorize import BELIEVED_S
from bots.slack.manifest import BOT_SCOPES, REDIRECT_PATH
from bots.slack.states import EXPIRES_S
from core.errors import ConfigurationError
from core.store.database import open_engine
from core.store.slack_tables import SlackBot, SlackInstallation, SlackState
from tests.fakes.slack import FakeSlack
from tests.integration.slack.many import KEY, PUBLIC_URL, Many, asked_for, many

_TABLES = (SlackBot.__tablename__, SlackInstallation.__tablename__, SlackState.__tablename__)


@pytest.fixture(scope="module")
def shared() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


@pytest.fixture
def fake(shared: FakeSlack) -> FakeSlack:
    """Shared: each test has a workspace of its own."""
    shared.oauth.rotates = shared.oauth.refused = False
    return shared


def run(fake: FakeSlack, sql_url: str, what: Callable[[Many], Awaitable[None]], **changes: Any) -> None:
    async def opened() -> None:
        async with many(fake, sql_url, **changes) as made:
            await what(made)

    asyncio.run(opened())


def rows(sql_url: str, table: str) -> list[dict[str, Any]]:
    engine = open_engine(sql_url)
    with engine.connect() as connection:
        found = [dict(row) for row in connection.execute(text(f"SELECT * FROM {table}")).mappings()]
    engine.dispose()
    return found


def test_a_workspace_installs_the_app(fake: FakeSlack, sql_url: str) -> None:
    team = fake.add_workspace("globex & <b>sons</b>", scopes=None)

    async def install(it: Many) -> None:
        assert await it.tokens(team.id) is None
        back, cookie = await it.begin(team)
        assert back.startswith(f"{PUBLIC_URL}{REDIRECT_PATH}?")
        page = await it.get(back, cookie)

        assert page.status_code == 200, page.text
        assert "globex &amp; &lt;b&gt;sons&lt;/b&gt;" in page.text
        assert "<script" not in page.text
        assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
        assert page.headers["cache-control"] == "no-store"
        assert f"https://app.slack.com/client/{team.id}" in page.text
        it.fake.advance(BELIEVED_S)
        found = await it.installed(team)
        assert (found.bot_user, found.bot_id) == (team.bot_user.id, team.bot_id)
        said = await it.access.client.auth_test(token=found.bot_token)
        assert said["team_id"] == team.id
        assert set(said.headers["x-oauth-scopes"].split(",")) == set(BOT_SCOPES)

        # Nobody who reads the database gets in.
        stored = str([rows(sql_url, table) for table in _TABLES])
        assert team.id in stored
        assert found.bot_token not in stored
        assert "xox" not in stored
        assert rows(sql_url, "slack_oauth_states") == []

    run(fake, sql_url, install)


def test_slack_is_asked_for_the_manifests_scopes_and_sent_back_to_us(fake: FakeSlack, sqlite_url: str) -> None:
    async def begin(it: Many) -> None:
        sent = await it.get("/slack/install")
        asked = asked_for(sent.headers["location"])

        assert asked["client_id"] == fake.client_id
        assert asked["redirect_uri"] == f"{PUBLIC_URL}{REDIRECT_PATH}"
        assert set(asked["scope"].split(",")) == set(BOT_SCOPES)
        assert asked.get("user_scope", "") == ""
        assert sent.headers["location"].startswith(fake.url)
        assert "HttpOnly" in sent.headers["set-cookie"]
        assert "Secure" in sent.headers["set-cookie"]

    run(fake, sqlite_url, begin)


def test_only_the_browser_that_began_can_end_it_and_only_once(fake: FakeSlack, sqlite_url: str) -> None:
    team = fake.add_workspace("initech", scopes=None)

    async def steal(it: Many) -> None:
        back, cookie = await it.begin(team)
        without = await it.get(back)
        other = await it.get(back, "slack-app-oauth-state=another")
        assert (without.status_code, other.status_code) == (400, 400)
        assert "not the browser" in without.text
        assert await it.tokens(team.id) is None

        # Both arrive at once: one state, one installation.
        pages = await asyncio.gather(it.get(back, cookie), it.get(back, cookie))
        assert sorted(page.status_code for page in pages) == [200, 401]
        again = await it.get(back, cookie)
        assert again.status_code == 401
        assert "opened twice" in again.text
        assert len(rows(sqlite_url, "slack_bots")) == 1

    run(fake, sqlite_url, steal)


def test_a_state_expires_and_does_not_stay(fake: FakeSlack, sqlite_url: str) -> None:
    team = fake.add_workspace("hooli", scopes=None)

    async def dawdle(it: Many) -> None:
        back, cookie = await it.begin(team)
        engine = open_engine(sqlite_url)
        with engine.begin() as connection:
            connection.execute(text("UPDATE slack_oauth_states SET expire_at = '2020-01-01 00:00:00.000000'"))
        engine.dispose()

        page = await it.get(back, cookie)
        assert page.status_code == 401
        assert f"{EXPIRES_S // 60} minutes" in page.text.replace("ten", "10")
        await it.get("/slack/install")
        assert len(rows(sqlite_url, "slack_oauth_states")) == 1

    run(fake, sqlite_url, dawdle)


def test_who_does_not_allow_it_is_told_that_nothing_happened(fake: FakeSlack, sqlite_url: str) -> None:
    team = fake.add_workspace("umbrella", scopes=None)
    fake.oauth.refused = True

    async def refuse(it: Many) -> None:
        page = await it.install(team)
        assert "You did not allow it. Nothing was installed." in page.text
        assert rows(sqlite_url, "slack_bots") == []

    run(fake, sqlite_url, refuse)


@pytest.mark.parametrize(("change", "status"), [("code=wrong", 401), ("", 401), ("error=%3Cscript%3E", 200)])
def test_what_slack_did_not_send_installs_nothing(fake: FakeSlack, sqlite_url: str, change: str, status: int) -> None:
    team = fake.add_workspace("cyberdyne", scopes=None)

    async def forge(it: Many) -> None:
        back, cookie = await it.begin(team)
        state = asked_for(back)["state"]
        page = await it.get(f"{REDIRECT_PATH}?state={state}&{change}", cookie)

        assert page.status_code == status
        assert "Glimt was not installed" in page.text
        assert "<script" not in page.text
        assert rows(sqlite_url, "slack_bots") == []

    run(fake, sqlite_url, forge)


def test_a_workspace_that_is_not_on_the_list_is_not_taken(fake: FakeSlack, sqlite_url: str) -> None:
    ours, other = fake.add_workspace("ours", scopes=None), fake.add_workspace("other", scopes=None)

    async def try_it(it: Many) -> None:
        page = await it.install(other)
        assert page.status_code == 403
        assert "GLIMT_SLACK_WORKSPACES" in page.text
        assert rows(sqlite_url, "slack_bots") == []
        # What Slack had given us was given back.
        with pytest.raises(LookupError):
            fake.token_of(other)

        assert (await it.install(ours)).status_code == 200
        assert (await it.installed(ours)).bot_user == ours.bot_user.id

    run(fake, sqlite_url, try_it, slack_workspaces=(ours.id,))


def test_installing_again_leaves_one_row_and_the_new_token(fake: FakeSlack, sql_url: str) -> None:
    team = fake.add_workspace("soylent", scopes=None)

    async def twice(it: Many) -> None:
        await it.install(team)
        first = await it.installed(team)
        await it.install(team)
        it.tokens.forget(team.id)
        second = await it.installed(team)

        assert first.bot_token != second.bot_token == fake.token_of(team)
        assert [len(rows(sql_url, table)) for table in ("slack_bots", "slack_installations")] == [1, 1]

    run(fake, sql_url, twice)


def test_workspaces_do_not_get_each_others_tokens(fake: FakeSlack, sqlite_url: str) -> None:
    one, two = fake.add_workspace("one", scopes=None), fake.add_workspace("two", scopes=None)

    async def swap(it: Many) -> None:
        await it.install(one)
        await it.install(two)
        assert (await it.installed(one)).bot_token == fake.token_of(one)
        assert (await it.installed(two)).bot_token == fake.token_of(two)

        # Not even where somebody who can write to the database wants it.
        engine = open_engine(sqlite_url)
        with engine.begin() as connection:
            connection.execute(
                text(
                    "UPDATE slack_bots SET bot_token = (SELECT bot_token FROM slack_bots WHERE team_id = :two) "
                    "WHERE team_id = :one"
                ),
                {"one": one.id, "two": two.id},
            )
        engine.dispose()
        it.tokens.forget(one.id)
        with pytest.raises(ConfigurationError, match=f"{one.id} cannot be opened"):
            await it.tokens(one.id)

    run(fake, sqlite_url, swap)


def test_a_new_key_in_front_of_the_old_one_opens_what_was_sealed(fake: FakeSlack, sqlite_url: str) -> None:
    team = fake.add_workspace("vehement", scopes=None)

    async def install(it: Many) -> None:
        await it.install(team)

    async def opens(it: Many) -> None:
        assert (await it.installed(team)).bot_token == fake.token_of(team)

    async def does_not_open(it: Many) -> None:
        with pytest.raises(ConfigurationError, match="GLIMT_SLACK_TOKEN_KEYS"):
            await it.tokens(team.id)

    run(fake, sqlite_url, install)
    run(fake, sqlite_url, opens, slack_token_keys=f"{'n' * 32},{KEY}")
    run(fake, sqlite_url, does_not_open, slack_token_keys="n" * 32)


def test_without_an_address_of_our_own_nobody_can_come_back(fake: FakeSlack, sqlite_url: str) -> None:
    async def nothing(it: Many) -> None: ...

    with pytest.raises(ConfigurationError, match=f"GLIMT_PUBLIC_URL{REDIRECT_PATH}"):
        run(fake, sqlite_url, nothing, public_url="")


def test_the_tables_have_bolts_columns() -> None:
    from slack_sdk.oauth.installation_store.sqlalchemy import SQLAlchemyInstallationStore as Store
    from slack_sdk.oauth.state_store.sqlalchemy import SQLAlchemyOAuthStateStore as States
    from sqlalchemy import MetaData

    theirs = MetaData()
    tables = [
        Store.build_bots_table(theirs, "slack_bots"),
        Store.build_installations_table(theirs, "slack_installations"),
        States.build_oauth_states_table(theirs, "slack_oauth_states"),
    ]
    for table in tables:
        ours = SlackBot.metadata.tables[table.name]
        assert {(c.name, c.nullable) for c in ours.columns} == {(c.name, c.nullable) for c in table.columns}


def test_no_other_program_of_this_machine_finds_the_tokens_in_a_file(
    fake: FakeSlack, sqlite_url: str, tmp_path: Path
) -> None:
    team = fake.add_workspace("massive", scopes=None)
    fake.oauth.rotates = True

    async def install(it: Many) -> None:
        await it.install(team)

    run(fake, sqlite_url, install)
    written = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert team.id.encode() in written
    assert fake.token_of(team).encode() not in written
    assert b"xoxe" not in written
    assert b"xoxb" not in written
