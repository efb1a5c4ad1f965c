"""A client's messages, sorted into history and question."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bots.web.openai_api.messages import Exchange, parse_messages

TEXTS = st.text("ab ", min_size=1, max_size=4)


def user(*parts: str) -> dict[str, Any]:
    """Parts that begin with `data:` are pictures."""
    return {
        "role": "user",
        "content": [
            {"type": "image_url", "image_url": {"url": part}}
            if part.startswith("data:")
            else {"type": "text", "text": part}
            for part in parts
        ],
    }


def says(role: str, content: Any) -> dict[str, Any]:
    return {"role": role, "content": content}


def test_history_and_question() -> None:
    dialogue = parse_messages(
        [
            says("system", "Be brief."),
            user("What?", "data:1", "data:2"),
            says("assistant", "A star."),
            says("developer", [{"type": "text", "text": "And kind."}]),
            user("data:3", "And", "this?"),
        ]
    )
    assert dialogue.system == "Be brief.\n\nAnd kind."
    (past,) = dialogue.past
    assert (past.question, past.answer, [p.url for p in past.pictures]) == ("What?", "A star.", ["data:1", "data:2"])
    assert dialogue.question == "And\nthis?"
    (picture,) = dialogue.pictures
    assert (picture.number, picture.where, picture.url) == (3, "messages[4].content[0].image_url", "data:3")
    assert [p.number for p in dialogue.all_pictures()] == [1, 2, 3]


def test_line_ends_of_every_system_in_all_but_answers() -> None:
    dialogue = parse_messages(
        [
            says("system", "Be\r\nbrief."),
            user("One\r\ntwo?"),
            # The stored answer is looked for as the model wrote it.
            says("assistant", "Three\r\nfour."),
            user("Five\rsix?", "seven\r\n"),
        ]
    )
    (past,) = dialogue.past
    assert (dialogue.system, past.question, past.answer) == ("Be\nbrief.", "One\ntwo?", "Three\r\nfour.")
    assert dialogue.question == "Five\nsix?\nseven\n"


def test_neighbours_of_one_role_are_one_message() -> None:
    dialogue = parse_messages(
        [
            user("One", "data:1"),
            user("two?", "data:2"),
            says("assistant", "Yes."),
            says("assistant", [{"type": "text", "text": "Both."}]),
            user("Three?"),
            says("system", "In between."),
            user("Four?"),
        ]
    )
    (past,) = dialogue.past
    assert (past.question, past.answer, len(past.pictures)) == ("One\n\ntwo?", "Yes.\n\nBoth.", 2)
    assert dialogue.question == "Three?\n\nFour?"
    assert dialogue.system == "In between."


def test_a_greeting_before_the_first_question_is_kept() -> None:
    dialogue = parse_messages([says("assistant", "Hello!"), user("Hi?")])
    assert dialogue.past == (Exchange("", (), "Hello!"),)


def test_shapes_that_clients_send() -> None:
    bare = {"role": "user", "content": [{"type": "image_url", "image_url": "data:1"}, {"type": "text", "text": "x"}]}
    assert parse_messages([bare]).pictures[0].url == "data:1"
    empty_answer = parse_messages([user("a"), says("assistant", None), user("b")])
    assert empty_answer.past[0].answer == ""
    refusal = {"role": "assistant", "content": None, "refusal": "No."}
    assert parse_messages([user("a"), refusal, user("b")]).past[0].answer == "No."
    named = {"role": "user", "name": "ann", "content": "x", "tool_calls": None}
    assert parse_messages([named]).question == "x"


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=5), TEXTS)
def test_alternating_messages_come_back_as_they_were(pairs: list[tuple[str, str]], question: str) -> None:
    messages = [m for asked, answered in pairs for m in (says("user", asked), says("assistant", answered))]
    dialogue = parse_messages([*messages, says("user", question)])
    assert [(e.question, e.answer) for e in dialogue.past] == pairs
    assert dialogue.question == question
