"""The manifest asks for what the code calls and listens to, no less and no more."""

import ast
from pathlib import Path

import bots.slack
from bots.slack.manifest import BOT_EVENTS, BOT_SCOPES
from tests.fakes.slack.arguments import METHODS
from tests.unit.slack.test_manifest import SCOPE_OF_EVENT

FOLDER = Path(bots.slack.__file__).parent
# Methods by the name that the SDK's client has for them, and its helpers by what they call.
CALLS = {name.replace(".", "_"): [name] for name in METHODS} | {
    "files_upload_v2": ["files.getUploadURLExternal", "files.completeUploadExternal"],
    "chat_stream": ["chat.startStream", "chat.appendStream", "chat.stopStream"],
}
KINDS = ("channels", "groups", "im", "mpim")
# What people type is no event.
WITHOUT_A_CALL = {"commands"}
# With the app-level token.
OF_THE_APP = {"connections:write"}


def called() -> set[str]:
    """The methods of Slack's that the adapter calls; whether the fake knows them is part of the question."""
    found: set[str] = set()
    for file in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            # Called, or handed on to be called.
            if isinstance(node, ast.Attribute) and node.attr in CALLS:
                found.update(CALLS[node.attr])
    return found


def test_scopes_are_those_of_the_calls_and_events() -> None:
    needed = {scope for method in called() if (scope := METHODS[method].scope)}
    assert {"chat:write", "files:read", "*:history"} <= needed
    by_kind = {f"{kind}{scope.removeprefix('*')}" for scope in needed if scope.startswith("*:") for kind in KINDS}
    named = {scope for scope in needed if not scope.startswith("*:")} - OF_THE_APP
    of_events = {SCOPE_OF_EVENT[event] for event in BOT_EVENTS if event in SCOPE_OF_EVENT}
    assert by_kind | named | of_events | WITHOUT_A_CALL == set(BOT_SCOPES)


def test_every_event_that_is_asked_for_is_understood() -> None:
    code = (FOLDER / "adapter.py").read_text()
    for event in BOT_EVENTS:
        assert f'"{event.partition(".")[0]}"' in code, event
