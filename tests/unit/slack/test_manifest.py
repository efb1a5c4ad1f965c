"""The manifest is one that Slack takes: its own schema's limits, written down here for the parts that we use."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from bots.slack.manifest import BOT_EVENTS, BOT_SCOPES, Language, build_manifest
from core.errors import ConfigurationError

URL = "https://glimt.example.org"


def _text(longest: int, shortest: int = 1) -> dict[str, Any]:
    return {"type": "string", "minLength": shortest, "maxLength": longest}


def _exactly(required: str, **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": required.split(),
        "properties": properties,
    }


_BOOL = {"type": "boolean"}
_ADDRESS = {"type": "string", "pattern": "^https://", "maxLength": 3000}
_NAMES = {"type": "array", "maxItems": 100, "uniqueItems": True, "items": _text(50)}
# From slackapi/manifest-schema, version 2, read in November 2026. Narrower than that: unknown parts are refused.
SCHEMA = _exactly(
    "_metadata display_information features oauth_config settings",
    _metadata=_exactly("major_version", major_version={"const": 2}, minor_version={"type": "integer"}),
    display_information=_exactly(
        "name",
        name=_text(35),
        description=_text(140),
        long_description=_text(4000, 175),
        background_color={"type": "string", "pattern": "^#[0-9a-f]{6}$"},
    ),
    features=_exactly(
        "app_home bot_user agent_view shortcuts slash_commands",
        app_home=_exactly(
            "home_tab_enabled messages_tab_enabled messages_tab_read_only_enabled",
            home_tab_enabled={"const": True},
            messages_tab_enabled={"const": True},
            # Else people cannot write to the app at all.
            messages_tab_read_only_enabled={"const": False},
        ),
        bot_user=_exactly("display_name", display_name=_text(80), always_online=_BOOL),
        agent_view=_exactly(
            "agent_description suggested_prompts",
            agent_description=_text(300),
            suggested_prompts={
                "type": "array",
                "maxItems": 4,
                "items": _exactly("title message", title=_text(75), message=_text(2000)),
            },
        ),
        shortcuts={
            "type": "array",
            "minItems": 1,
            "maxItems": 10,
            "items": _exactly(
                "name type callback_id description",
                name=_text(24),
                type={"const": "message"},
                callback_id=_text(255),
                description=_text(150),
            ),
        },
        slash_commands={
            "type": "array",
            "minItems": 1,
            "maxItems": 50,
            "items": _exactly(
                "command description",
                command={"type": "string", "pattern": "^/", "minLength": 2, "maxLength": 32},
                url=_ADDRESS,
                description=_text(2000),
                usage_hint=_text(1000),
                should_escape=_BOOL,
            ),
        },
    ),
    oauth_config=_exactly(
        "scopes",
        scopes=_exactly("bot", bot=_NAMES | {"maxItems": 255}),
        redirect_urls={"type": "array", "uniqueItems": True, "items": _ADDRESS},
    ),
    settings=_exactly(
        "event_subscriptions interactivity socket_mode_enabled",
        event_subscriptions=_exactly("bot_events", bot_events=_NAMES, request_url=_ADDRESS),
        interactivity=_exactly("is_enabled", is_enabled={"const": True}, request_url=_ADDRESS),
        org_deploy_enabled=_BOOL,
        socket_mode_enabled=_BOOL,
        token_rotation_enabled=_BOOL,
    ),
)
# Which scope Slack asks for before it sends an event (docs.slack.dev, read).
SCOPE_OF_EVENT = {
    "app_mention": "app_mentions:read",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "message.mpim": "mpim:history",
    "agent_session_stopped": "assistant:write",
}


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("given", [{}, {"transport": "http"}, {"many": True}, {"transport": "http", "many": True}])
def test_slack_takes_it(language: Language, given: dict[str, Any]) -> None:
    manifest = build_manifest(language=language, url=URL, **given)

    assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(manifest)] == []
    assert json.loads(json.dumps(manifest)) == manifest


def test_socket_mode_names_no_address() -> None:
    manifest = build_manifest()

    assert manifest["settings"]["socket_mode_enabled"] is True
    assert "https://" not in json.dumps(manifest)


def test_http_names_the_address_wherever_slack_sends_something() -> None:
    manifest = build_manifest(transport="http", url=URL + "/")

    settings = manifest["settings"]
    assert settings["socket_mode_enabled"] is False
    assert settings["event_subscriptions"]["request_url"] == f"{URL}/slack/events"
    assert settings["interactivity"]["request_url"] == f"{URL}/slack/events"
    assert [command["url"] for command in manifest["features"]["slash_commands"]] == [f"{URL}/slack/events"]
    assert settings["token_rotation_enabled"] is False


def test_many_workspaces_come_back_to_us_and_have_tokens_that_expire() -> None:
    manifest = build_manifest(many=True, url=URL)

    assert manifest["oauth_config"]["redirect_urls"] == [f"{URL}/slack/oauth_redirect"]
    assert manifest["settings"]["token_rotation_enabled"] is True


def test_every_event_has_its_scope() -> None:
    asked = {SCOPE_OF_EVENT[event] for event in BOT_EVENTS if event in SCOPE_OF_EVENT}
    assert asked <= set(BOT_SCOPES)
    assert set(SCOPE_OF_EVENT) <= set(BOT_EVENTS)


def test_the_name_is_the_apps_and_the_bots() -> None:
    manifest = build_manifest(name="Iris")

    assert manifest["display_information"]["name"] == manifest["features"]["bot_user"]["display_name"] == "Iris"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"name": ""}, "1 to 35 characters"),
        ({"name": "x" * 36}, "1 to 35 characters"),
        ({"transport": "http"}, "--transport socket"),
        ({"many": True}, "https address"),
        ({"transport": "http", "url": "http://glimt.example.org"}, "https address"),
        ({"transport": "http", "url": "glimt.example.org"}, "https address"),
        ({"transport": "http", "url": "https://[/"}, "https address"),
    ],
)
def test_what_slack_would_refuse_is_refused_here(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        build_manifest(**given)
