"""`glimt doctor slack`: what is wrong with tokens, scopes and transport, and what to click."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from bots.chat.checks import Check
from bots.slack.doctor import SlackDoctor
from bots.slack.manifest import BOT_SCOPES
from core.conversation.inbound import InboundQuestion
from core.conversation.intake import Intake
from core.media.blobs import BlobStore
from core.settings import Settings, load_settings
from core.store.database import Store
from core.values import Platform
from tests.fakes.slack import FakeSlack
from tests.integration.glimt.command import glimt
from tests.integration.slack.many import many, settings_for


@pytest.fixture
def fake() -> Iterator[FakeSlack]:
    with FakeSlack(scopes=BOT_SCOPES) as made:
        # In the form of Slack's own, which names the app.
        made.world.grants[f"xapp-1-{made.app_id}-1-x"] = made.world.grants[made.app_token]
        yield made


# Nothing listens there.
HTTP = {"slack_transport": "http", "slack_signing_secret": "0" * 32, "public_url": "https://127.0.0.1:1"}


def settings_of(fake: FakeSlack, sql_url: str, **changes: object) -> Settings:
    given = {
        "slack_bot_token": fake.bot_token,
        "slack_app_token": f"xapp-1-{fake.app_id}-1-x",
        "slack_api_url": fake.api_url,
        "database_url": sql_url,
    }
    return load_settings(_env_file=None, **{**given, **changes})


def examined(settings: Settings) -> dict[str, Check]:
    async def all_of_them() -> dict[str, Check]:
        return {check.what.removeprefix("slack "): check async for check in SlackDoctor(settings).checks()}

    return asyncio.run(all_of_them())


def test_a_sound_installation(fake: FakeSlack, sqlite_store: Store, sqlite_url: str, tmp_path: Path) -> None:
    settings = settings_of(fake, sqlite_url)
    intake = Intake(sqlite_store, BlobStore(f"file://{tmp_path}/blobs"), settings)
    intake.accept(InboundQuestion(Platform.SLACK, fake.workspace.id, "U1", "T:C:1", "?", conversation="C:1"))

    checks = examined(settings)

    assert [check for check in checks.values() if not check.good or check.worry] == []
    assert list(checks) == ["bot token", "scopes", "app token", "events"]
    assert checks["bot token"].says == f"@glimt in acme ({fake.workspace.id})"
    assert checks["scopes"].says == f"all {len(BOT_SCOPES)}"
    assert fake.bot_token not in str(checks)


def test_no_event_yet_is_explained(fake: FakeSlack, sqlite_url: str) -> None:
    events = examined(settings_of(fake, sqlite_url))["events"]

    assert events.good
    assert events.worry
    for click in ('"App Home", "Messages Tab"', '"Event Subscriptions"', "glimt slack manifest"):
        assert click in events.says


@pytest.mark.parametrize(
    ("changes", "what", "says"),
    [
        ({"slack_bot_token": "xoxb-unknown"}, "bot token", '"OAuth & Permissions", "Bot User OAuth Token"'),
        ({"slack_app_token": "xapp-unknown"}, "app token", '"App-Level Tokens": generate a new one'),
        ({"slack_workspaces": ("T0OTHER",)}, "bot token", "which GLIMT_SLACK_WORKSPACES does not have"),
        (HTTP | {"slack_signing_secret": "Z" * 32}, "signing secret", '"Signing Secret"'),
        (HTTP | {"public_url": ""}, "request address", "GLIMT_PUBLIC_URL is empty"),
        (HTTP | {"public_url": "http://glimt.example.org"}, "request address", "must begin with https://"),
        ({"database_url": "sqlite:////nowhere/at/all.db"}, "events", "unable to open database file"),
    ],
)
def test_each_wrong_setting_is_found(
    fake: FakeSlack, sqlite_url: str, changes: dict[str, object], what: str, says: str
) -> None:
    checks = examined(settings_of(fake, sqlite_url, **changes))

    assert [name for name, check in checks.items() if not check.good] == [what]
    assert says in checks[what].says


def test_missing_scopes_are_named() -> None:
    kept = tuple(scope for scope in BOT_SCOPES if scope not in ("files:read", "assistant:write"))
    with FakeSlack(scopes=(*kept, "channels:join")) as fake:
        checks = examined(settings_of(fake, "sqlite:////nowhere/at/all.db", slack_app_token=fake.app_token))

    assert not checks["scopes"].good
    assert checks["scopes"].says.startswith("Missing: assistant:write, files:read. ")
    assert "Reinstall" in checks["scopes"].says


def test_more_scopes_than_needed_are_a_remark() -> None:
    with FakeSlack(scopes=(*BOT_SCOPES, "channels:join")) as fake:
        scopes = examined(settings_of(fake, "sqlite:////nowhere/at/all.db"))["scopes"]

    assert scopes.good
    assert scopes.worry
    assert "channels:join" in scopes.says


def test_an_app_token_without_its_scope(fake: FakeSlack, sqlite_url: str) -> None:
    fake.faults.refuse("apps.connections.open", "missing_scope")

    assert "connections:write" in examined(settings_of(fake, sqlite_url))["app token"].says


def test_tokens_of_two_apps(fake: FakeSlack, sqlite_url: str) -> None:
    other = "xapp-1-A0OTHER-1-x"
    fake.world.grants[other] = fake.world.grants[fake.app_token]
    found = examined(settings_of(fake, sqlite_url, slack_app_token=other))["app token"]

    assert not found.good
    assert found.says.startswith(f"SLACK_APP_TOKEN is of app A0OTHER, SLACK_BOT_TOKEN of app {fake.app_id}")


def test_a_removed_app(fake: FakeSlack, sqlite_url: str) -> None:
    fake.faults.refuse("auth.test", "account_inactive")

    assert 'was removed from the workspace. "Install App"' in examined(settings_of(fake, sqlite_url))["bot token"].says


def test_slack_that_cannot_be_reached(fake: FakeSlack, sqlite_url: str) -> None:
    checks = examined(settings_of(fake, sqlite_url, slack_api_url="http://127.0.0.1:1/api/"))

    assert "127.0.0.1 cannot be reached from here" in checks["bot token"].says
    assert "Is SLACK_API_URL right?" in checks["app token"].says


def test_channels_that_the_bot_is_not_in(fake: FakeSlack, sqlite_url: str) -> None:
    inside, outside = fake.channel("inside"), fake.channel("outside", bot=False)
    ids = (inside.id, outside.id, "C0NOWHERE")
    found = examined(settings_of(fake, sqlite_url, slack_channels=ids))["channels"]

    assert found.good
    assert found.worry
    assert "#outside: not a member; C0NOWHERE: channel_not_found" in found.says
    assert "/invite @glimt" in found.says


def test_workspaces_that_installed_the_app(fake: FakeSlack, sqlite_url: str) -> None:
    good, bad = fake.add_workspace("good", scopes=None), fake.add_workspace("bad", scopes=None)

    async def install() -> None:
        async with many(fake, sqlite_url) as it:
            await it.install(good)
            await it.install(bad)

    asyncio.run(install())
    settings = settings_for(fake, sqlite_url)
    assert examined(settings)["workspaces"].says == "2 installed; more at https://glimt.example.org/slack/install"

    with fake.lock:
        del fake.world.grants[fake.token_of(bad)]
    found = examined(settings)["workspaces"]
    assert not found.good
    assert "1 of 2 cannot be served: bad: invalid_auth, install it again there" in found.says
    other_key = settings_for(fake, sqlite_url, slack_token_keys="z" * 32)
    assert "GLIMT_SLACK_TOKEN_KEYS" in examined(other_key)["workspaces"].says


def test_the_command_says_it_and_fails(fake: FakeSlack, tmp_path: Path) -> None:
    kept = tuple(scope for scope in BOT_SCOPES if scope != "files:read")
    fake.world.grants[fake.bot_token].scopes = kept
    env = {"SLACK_BOT_TOKEN": fake.bot_token, "SLACK_APP_TOKEN": "xapp-1-no-1-x", "SLACK_API_URL": fake.api_url}

    said = glimt(tmp_path, "doctor", "slack", **env)

    assert said.returncode == 1, said.stderr
    lines = said.stdout.splitlines()
    assert lines[0].startswith("ok   slack bot token: @glimt in acme")
    assert lines[1].startswith("MEND slack scopes: Missing: files:read.")
    assert lines[2].startswith("MEND slack app token: Slack says invalid_auth.")
    assert fake.bot_token not in said.stdout + said.stderr


def test_without_settings_it_says_where_to_begin() -> None:
    (check,) = examined(load_settings(_env_file=None)).values()

    assert not check.good
    assert "glimt slack manifest" in check.says


def test_an_address_that_does_not_answer_is_a_remark(fake: FakeSlack, sqlite_url: str) -> None:
    # A name that only the outside knows is no mistake.
    found = examined(settings_of(fake, sqlite_url, **HTTP))["request address"]

    assert found.good
    assert found.worry
    assert "https://127.0.0.1:1/slack/events does not answer from here" in found.says
