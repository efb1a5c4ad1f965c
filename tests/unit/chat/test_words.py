"""Commands and buttons as text: what is read, and what is none of ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.chat.actions import VALUE_BYTES, Action, read_action
from bots.chat.commands import COMMANDS, Command, parse_command
from bots.chat.feedback import reason_buttons
from bots.chat.texts import texts_for
from core.conversation.personas import PERSONAS
from core.values import new_id


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ("stop", Command("stop")),
        ("  Mode   documents ", Command("mode", "documents")),
        ("LANG 中文", Command("lang", "中文")),
        ("停止", Command("stop")),
        ("start support", Command("start", "support")),
        ("stop it right now", Command("stop", "it right now")),
        ("What is this?", None),
        ("", None),
        ("  ", None),
    ],
)
def test_commands_are_read(words: str, command: Command | None) -> None:
    assert parse_command(words) == command


def test_every_command_is_read() -> None:
    assert [parse_command(name) for name in COMMANDS] == [Command(name) for name in COMMANDS]


def test_buttons_come_back_as_they_were_and_fit() -> None:
    actions = [Action("up", new_id()), Action("forget", new_id(), "yes"), Action("why", new_id(), "overlooked")]
    actions += [Action("mode", name) for name in PERSONAS]
    assert [read_action(action.value) for action in actions] == actions
    values = [action.value for action in actions]
    values += [button.value for button in reason_buttons(new_id(), texts_for("zh"))]
    assert all(len(value.encode()) <= VALUE_BYTES for value in values)


@pytest.mark.parametrize("value", ["", ":", "UP:1", "up:../x", "up:a b", "up:1:2:3", "x" * 80, "up:" + "a" * 41])
def test_other_buttons_are_none_of_ours(value: str) -> None:
    assert read_action(value) is None


@given(st.text(max_size=100))
def test_any_text_is_read_without_an_error(text: str) -> None:
    command, action = parse_command(text), read_action(text)
    assert command is None or command.name in COMMANDS
    assert action is None or read_action(action.value) == action
