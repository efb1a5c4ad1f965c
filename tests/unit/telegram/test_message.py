"""What a message says as far as it concerns us: who, where, which files, and whether it is for us."""

from typing import Any

import pytest

from bots.telegram.files import NO_PICTURE, NO_STILL, references
from bots.telegram.listening import Served, is_for_us
from bots.telegram.message import Said, read_message
from bots.telegram.overheard import KEPT_S, Overheard
from bots.telegram.taking import files_of, question_of
from bots.telegram.target import Target, post_id, read_post_id
from core.settings import load_settings
from tests.unit.telegram.messages import ANN, ME, entity, message, photo

GROUP = -1_001
BOT = {"id": 7, "is_bot": True, "first_name": "Glimt", "username": "glimt_bot"}
STILL = {"file_id": "t", "file_unique_id": "ut", "width": 90, "height": 90}
CLIP = {"file_id": "v", "file_unique_id": "uv", "width": 640, "height": 480, "duration": 3}


def said(text: str = "", **more: Any) -> Said:
    made = read_message(message(text, **more), 1, ME)
    assert made is not None
    return made


@pytest.mark.parametrize(
    "more",
    [
        {"by": BOT},
        {"by": {"id": 8, "is_bot": True, "first_name": "Other"}},
        {"is_automatic_forward": True, "chat": GROUP},
        {"sender_business_bot": BOT, "business_connection_id": "c"},
    ],
)
def test_what_no_person_wrote_is_passed_over(more: dict[str, Any]) -> None:
    assert read_message(message("hello", **more), 1, ME) is None


def test_the_owner_of_a_business_account_is_no_customer() -> None:
    assert read_message(message("hello", business_connection_id="c"), 1, ME, owner_id=11) is None
    other = read_message(message("hello", business_connection_id="c"), 1, ME, owner_id=12)
    assert other is not None
    assert (other.place, other.key, other.in_group) == ("b12:11", "7:b12:11:5", False)


def test_an_anonymous_admin_is_their_group() -> None:
    by = {"id": 1087968824, "is_bot": True, "first_name": "Group"}
    one = said("hello", by=by, chat=GROUP, sender_chat={"id": GROUP, "type": "supergroup"})
    assert one.user_id == GROUP
    assert one.user is None


def test_a_topic_is_one_only_where_people_see_it() -> None:
    assert said("a", chat=GROUP, message_thread_id=9, is_topic_message=True).place == "-1001:9"
    assert said("a", chat=GROUP, message_thread_id=9).place == "-1001"


@pytest.mark.parametrize(
    ("more", "source"),
    [
        ({"photo": photo(90, 1280, 320)}, {"file_id": "p1280", "still": False}),
        ({"sticker": {**STILL, "type": "regular", "is_animated": False, "is_video": False}}, {"file_id": "t"}),
        (
            {
                "sticker": {
                    **STILL,
                    "file_id": "s",
                    "type": "regular",
                    "is_animated": True,
                    "is_video": False,
                    "thumbnail": STILL,
                }
            },
            {"file_id": "t", "still": True},
        ),
        ({"video": {**CLIP, "thumbnail": STILL, "cover": photo(1280, name="c")}}, {"file_id": "c1280", "still": True}),
        ({"video": CLIP}, {"why": NO_STILL}),
        (
            {"animation": {**CLIP, "thumbnail": STILL}, "document": {"file_id": "v", "file_unique_id": "uv"}},
            {"file_id": "t", "still": True},
        ),
        (
            {"document": {"file_id": "d", "file_unique_id": "ud", "mime_type": "image/heic", "file_size": 9}},
            {"file_id": "d", "size": 9},
        ),
        ({"document": {"file_id": "d", "file_unique_id": "ud", "mime_type": "text/plain"}}, {"why": NO_PICTURE}),
        (
            {"document": {"file_id": "d", "file_unique_id": "ud", "mime_type": "video/mp4", "thumbnail": STILL}},
            {"file_id": "t", "still": True},
        ),
    ],
)
def test_what_can_be_looked_at(more: dict[str, Any], source: dict[str, Any]) -> None:
    (reference,) = references(message(**more), 5)
    assert source.items() <= reference.source.items()


def test_a_name_cannot_lead_anywhere() -> None:
    document = {"file_id": "d", "file_unique_id": "ud", "file_name": "../../etc/p\u202easswd.png"}
    (reference,) = references(message(document=document), 5)
    assert "/" not in reference.name
    assert "\u202e" not in reference.name


def test_in_a_group_only_when_we_are_meant() -> None:
    ours = {"message_id": 3, "date": 1, "chat": {"id": GROUP, "type": "supergroup"}, "from": BOT, "text": "Red."}
    theirs = {**ours, "from": ANN}
    at_bob = [entity("mention", 0, 4)]
    assert is_for_us(said("hello"), ME)
    assert not is_for_us(said("hello", chat=GROUP), ME)
    assert is_for_us(said("hey @glimt_bot", chat=GROUP, entities=[entity("mention", 4, 10)]), ME)
    assert is_for_us(said("why?", chat=GROUP, reply_to_message=ours), ME)
    assert not is_for_us(said("@bob why?", chat=GROUP, entities=at_bob, reply_to_message=ours), ME)
    assert not is_for_us(said("why?", chat=GROUP, reply_to_message=theirs), ME)


def test_the_beginning_of_a_topic_is_no_reply_to_us() -> None:
    begun = {
        "message_id": 3,
        "date": 1,
        "chat": {"id": GROUP, "type": "supergroup"},
        "from": BOT,
        "forum_topic_created": {"name": "T", "icon_color": 1},
    }
    one = said("hello", chat=GROUP, message_thread_id=3, is_topic_message=True, reply_to_message=begun)
    assert one.reply is None


def test_a_question_about_somebody_elses_words_and_pictures() -> None:
    replied = {
        "message_id": 3,
        "date": 1,
        "chat": {"id": GROUP, "type": "supergroup"},
        "from": {**ANN, "id": 12},
        "caption": "Guess",
        "photo": photo(320),
    }
    one = said("what is it?", chat=GROUP, reply_to_message=replied, photo=photo(90, name="own"))
    assert question_of(one, "what is it?") == "> Guess\n\nwhat is it?"
    assert [file.source["file_id"] for file in files_of(one)] == ["p320", "own90"]


def test_what_another_chat_said_and_showed() -> None:
    origin = {"type": "user", "date": 1, "sender_user": ANN}
    one = said(
        "and this?",
        external_reply={
            "origin": origin,
            "chat": {"id": GROUP, "type": "supergroup"},
            "message_id": 8,
            "photo": photo(50),
        },
        quote={"text": "two cats", "position": 0},
    )
    assert question_of(one, "and this?") == "> two cats\n\nand this?"
    assert [file.source["file_id"] for file in files_of(one)] == ["p50"]


@pytest.mark.parametrize(
    ("given", "private", "listed", "unlisted"),
    [
        ({}, True, True, True),
        ({"telegram_users": "11"}, True, True, True),
        ({"telegram_users": "12"}, False, False, False),
        ({"telegram_users": "12", "telegram_chats": "-1001"}, False, True, False),
        ({"telegram_chats": "-1001"}, True, True, False),
    ],
)
def test_who_is_served(given: dict[str, str], private: bool, listed: bool, unlisted: bool) -> None:
    served = Served(load_settings(_env_file=None, **given))
    assert served.opens(said("hello")) is private
    assert served.opens(said("hello", chat=GROUP)) is listed
    assert served.opens(said("hello", chat=-1_002)) is unlisted


def test_what_was_overheard_is_forgotten() -> None:
    now = [0.0]
    overheard = Overheard(lambda: now[0])
    overheard.hear(said(chat=GROUP, photo=photo(320)))
    question = said("what is it?", chat=GROUP)
    assert [file.source["file_id"] for file in overheard.just_sent(question)] == ["p320"]
    assert overheard.just_sent(said("what is it?", chat=GROUP, by={**ANN, "id": 12})) == ()
    now[0] = KEPT_S + 1
    assert overheard.just_sent(question) == ()


def test_targets_and_posts_come_back_as_they_were() -> None:
    target = Target(-1_001, 5, 11, 9, "c", 12)
    assert Target.read(target.stored()) == target
    assert target.place == "b12:-1001:9"
    assert read_post_id(post_id(-1_001, 5)) == (-1_001, 5)
    assert read_post_id(post_id(77, 5, 12)) == (77, 5)
    with pytest.raises(ValueError, match="invalid literal"):
        read_post_id("elsewhere")
