"""What an answer looks like: rich, with entities, plain; in parts; without links."""

import pytest

from tests.integration.telegram.answering import (
    TABLE,
    once,
    privately,
)
from tests.integration.telegram.stand import Stand
from tests.processes import PATIENCE_S


@pytest.mark.parametrize(
    ("refused", "form"),
    [
        (("sendRichMessage", "RICH_MESSAGE_INVALID"), "entities"),
        (("sendMessage", "can't parse entities: whatever it is"), "plain"),
    ],
)
def test_a_plainer_form_is_sent_where_telegram_does_not_understand(
    modern: Stand, refused: tuple[str, str], form: str
) -> None:
    method, why = refused
    answer = TABLE if form == "entities" else "It is **red**."
    _, chat, asked = privately(modern, f"Formatted {form}?")
    turn = modern.ready(asked)
    modern.telegram.faults.refuse(method, why, chat=chat.id)
    modern.claim(turn.id).answer(answer)
    text = "It is red." if form == "plain" else "Boats\n\nboat │ colour\n─────┼───────\n1    │ red"
    seen = once(modern, chat, text)
    assert [e["type"] for e in seen.message.entities] == (["bold", "pre"] if form == "entities" else [])


def test_a_flood_says_nothing_about_the_form(modern: Stand) -> None:
    _, chat, asked = privately(modern, "Rich after a pause?")
    turn = modern.ready(asked)
    modern.telegram.faults.limit("sendRichMessage", 1, chat=chat.id)
    modern.claim(turn.id).answer(TABLE)
    seen = modern.telegram.wait_for(lambda: modern.telegram.answers(chat), PATIENCE_S)[0]
    assert seen.message.rich
    sent = [call for call in modern.telegram.called("sendRichMessage") if call.chat == chat.id]
    assert [(call.ok, "table" in str(call.arguments)) for call in sent] == [(False, True), (True, True)]


def test_an_older_server_gets_tables_as_text(older: Stand) -> None:
    _, chat, asked = privately(older, "A table for an old server?")
    older.work_on(asked).answer(TABLE)
    once(older, chat, "Boats\n\nboat │ colour\n─────┼───────\n1    │ red")


def test_a_long_answer_is_cut_at_paragraphs(modern: Stand) -> None:
    paragraphs = [f"Paragraph {number}: " + "wörter 🙂 " * 60 for number in range(20)]
    whole = "\n\n".join(one.strip() for one in paragraphs)
    _, chat, asked = privately(modern, "All of it?")
    modern.work_on(asked).say(whole[:5000]).answer(whole)
    modern.telegram.wait_for(lambda: len(modern.telegram.answers(chat)) >= 3, PATIENCE_S)
    modern.settled()
    parts = modern.telegram.answers(chat)
    assert "\n\n".join(part.text for part in parts) == whole
    assert [bool(part.buttons) for part in parts] == [False] * (len(parts) - 1) + [True]


def test_an_answer_links_nothing_and_calls_nobody(modern: Stand) -> None:
    _, chat, asked = privately(modern, "What does the sign say?")
    modern.work_on(asked).answer("[win](https://evil.example/?q=1) ![x](http://evil.example/y.png) ask @bob")
    seen = once(modern, chat, "[win] (https://evil.example/?q=1) ![x] (http://evil.example/y.png) ask @\u2060bob")
    assert {entity["type"] for entity in seen.message.entities} == {"code"}
