"""Text and entities, which count in UTF-16 units, become the words that a person typed."""

import pytest
from telegram import MessageEntity, User

from bots.telegram.words import Text, quoted, text_of
from tests.unit.telegram.messages import ME


def said(text: str, *entities: MessageEntity) -> Text:
    return text_of(text, entities)


def mention(offset: int, length: int) -> MessageEntity:
    return MessageEntity(MessageEntity.MENTION, offset, length)


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        (said("@glimt_bot what is it?", mention(0, 10)), "what is it?"),
        (said("@Glimt_Bot, what is it?", mention(0, 10)), "what is it?"),
        (said("what is it, @glimt_bot", mention(12, 10)), "what is it,"),
        # Two units each, as Telegram counts.
        (said("👍👍 @glimt_bot 👍?", mention(5, 10)), "👍👍  👍?"),
        (said("@ann look", mention(0, 4)), "@ann look"),
        (
            said("see here", MessageEntity(MessageEntity.TEXT_LINK, 4, 4, url="https://a.example/")),
            "see here (https://a.example/)",
        ),
        (said("a\0b"), "ab"),
        # An entity that reaches beyond its text, as of a text that was cut.
        (said("hi", mention(1, 40)), "hi"),
    ],
)
def test_what_a_person_reads(text: Text, spoken: str) -> None:
    assert text.spoken(ME) == spoken


def test_mentions_of_us_are_told_from_others() -> None:
    assert said("hey @GLIMT_bot", mention(4, 10)).mentions(ME)
    assert not said("hey @glimt_bots", mention(4, 11)).mentions(ME)
    assert not said("hey @glimt_bot").mentions(ME)
    by_id = MessageEntity(MessageEntity.TEXT_MENTION, 0, 5, user=User(7, "Glimt", is_bot=True))
    assert said("Glimt look", by_id).mentions(ME)
    assert said("Glimt look", by_id).spoken(ME) == "look"


def test_whom_it_turns_to() -> None:
    assert said("@ann look", mention(0, 4)).turns_to_somebody_else(ME)
    assert said("  @ann look", mention(2, 4)).turns_to_somebody_else(ME)
    assert not said("look @ann", mention(5, 4)).turns_to_somebody_else(ME)
    assert not said("@glimt_bot look", mention(0, 10)).turns_to_somebody_else(ME)


@pytest.mark.parametrize(
    ("text", "length", "command"),
    [
        ("/new", 4, ("new", "", "")),
        ("/Mode@glimt_bot  documents ", 15, ("mode", "glimt_bot", "documents")),
        ("/ask what is\nthis?", 4, ("ask", "", "what is\nthis?")),
    ],
)
def test_commands(text: str, length: int, command: tuple[str, str, str]) -> None:
    assert said(text, MessageEntity(MessageEntity.BOT_COMMAND, 0, length)).command() == command


def test_a_command_stands_at_the_beginning() -> None:
    assert said("try /new", MessageEntity(MessageEntity.BOT_COMMAND, 4, 4)).command() is None
    assert said("/not one").command() is None


def test_quotes_stand_before_the_question() -> None:
    assert quoted("Why?", ["one\ntwo"]) == "> one\n> two\n\nWhy?"
    assert quoted("", ["one"]) == "> one"
    assert quoted("Why?", [" "]) == "Why?"
