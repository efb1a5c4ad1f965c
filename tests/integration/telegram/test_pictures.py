"""Questions that come in several messages, and everything that can be looked at."""

from collections.abc import Callable
from io import BytesIO

import pytest
from PIL import Image

from core.store.models import Turn
from core.values import TurnState
from tests.fakes.telegram import Chat, FakeTelegram, Said
from tests.integration.telegram.stand import Stand, adapter_over
from tests.integration.web.site import picture
from tests.processes import Installation, until

RED, BLUE, GREEN = (picture(colour, size=(320, 240)) for colour in ("red", "blue", "green"))
PDF = BytesIO()
Image.new("RGB", (60, 40), "white").save(PDF, "PDF", save_all=True, append_images=[Image.new("RGB", (60, 40), "red")])


def named(turn: Turn) -> list[tuple[str, str]]:
    return [(a.name, a.state) for a in turn.attachments]


def stored(turn: Turn) -> int:
    return sum(a.state == "stored" for a in turn.attachments)


def test_an_album_is_one_question_with_its_late_pictures(stand: Stand, telegram: FakeTelegram) -> None:
    ann = telegram.user("al1")
    chat = telegram.private(ann)
    asked = telegram.album(ann, chat, [RED, BLUE, GREEN, RED], "Which differ?", late=1)
    gathering = stand.turn_of(asked)
    asked.arrive()
    turn = stand.ready(asked)

    assert turn.id == gathering.id
    assert turn.question == "Which differ?"
    assert named(turn) == [(f"photo {number}", "stored") for number in range(1, 5)]
    # In the order of the album, whatever arrived first.
    colours = [stand.at_colour(a.blob_key) for a in turn.attachments]
    assert colours == ["red", "blue", "green", "red"]
    assert len(stand.turns_in(chat)) == 1


def test_an_album_in_any_order_has_the_caption_of_any_picture(stand: Stand, telegram: FakeTelegram) -> None:
    ann = telegram.user("al2")
    chat = telegram.private(ann)
    asked = telegram.album(ann, chat, [RED, BLUE, GREEN], captions=["", "", "How many?"], shuffle=5)

    turn = stand.ready(asked)
    assert (turn.question, stored(turn)) == ("How many?", 3)
    assert [stand.at_colour(a.blob_key) for a in turn.attachments] == ["red", "blue", "green"]
    assert len(stand.turns_in(chat)) == 1


def test_a_picture_that_comes_while_the_album_is_answered_has_it_answered_anew(
    stand: Stand, telegram: FakeTelegram
) -> None:
    ann = telegram.user("al3")
    chat = telegram.private(ann)
    asked = telegram.album(ann, chat, [RED, BLUE], "Which?", late=1)
    early = stand.work_on(asked)
    early.say("Only one ")
    asked.arrive()
    turn = stand.ready(asked)

    assert stored(turn) == 2
    with pytest.raises(Exception, match="attempt 1"):
        early.answer("Only one picture.")
    stand.claim(turn.id).answer("Both.")
    stand.settled()
    assert [one.text for one in telegram.answers(chat)] == ["Both."]


def test_a_picture_that_comes_after_the_answer_is_a_question_of_the_same_conversation(
    stand: Stand, telegram: FakeTelegram
) -> None:
    ann = telegram.user("al4")
    chat = telegram.private(ann)
    asked = telegram.album(ann, chat, [RED, BLUE, GREEN], "Which?", late=2)
    stand.work_on(asked).answer("Red.")
    stand.settled()
    asked.arrive()
    late = stand.ready(asked.messages[1])

    assert stored(late) == 2
    assert late.conversation_id == stand.turn_of(asked).conversation_id
    assert [one.state for one in stand.turns_in(chat)] == [TurnState.DELIVERED, TurnState.READY]


def test_a_photo_and_the_words_right_after_it_are_one_question(stand: Stand, telegram: FakeTelegram) -> None:
    ann = telegram.user("pt1")
    chat = telegram.private(ann)
    photo = telegram.photo(ann, chat, RED)
    words = telegram.say(ann, chat, "What colour is it?")

    turn = stand.ready(photo)
    assert turn.id == stand.turn_of(words).id
    assert (turn.question, stored(turn)) == ("What colour is it?", 1)


def test_words_that_come_while_the_photo_is_described_are_its_question(stand: Stand, telegram: FakeTelegram) -> None:
    ann = telegram.user("pt2")
    chat = telegram.private(ann)
    photo = telegram.photo(ann, chat, RED)
    stand.work_on(photo).say("I see ")
    words = telegram.say(ann, chat, "What colour is it?")
    stand.work_on(words).answer("Red.")
    stand.settled()

    assert [(one.question, stored(one)) for one in stand.turns_in(chat)] == [("What colour is it?", 1)]
    assert [one.text for one in telegram.answers(chat)] == ["Red."]


def test_words_that_reply_to_the_photo_are_its_question(stand: Stand, telegram: FakeTelegram) -> None:
    ann = telegram.user("pt8")
    chat = telegram.private(ann)
    photo = telegram.photo(ann, chat, RED)
    stand.work_on(photo).say("I see ")
    words = telegram.say(ann, chat, "What colour is it?", reply_to=photo)

    assert stand.turn_of(words).id == stand.turn_of(photo).id
    turn = stand.ready(words)
    assert (turn.question, stored(turn)) == ("What colour is it?", 1)


def test_a_photo_without_words_is_looked_at_by_itself(stand: Stand, telegram: FakeTelegram) -> None:
    ann = telegram.user("pt3")
    chat = telegram.private(ann)
    photo = telegram.photo(ann, chat, RED)
    stand.work_on(photo).answer("A red square.")
    stand.settled()
    further = telegram.say(ann, chat, "How large?")

    assert stand.turn_of(further).id != stand.turn_of(photo).id
    assert stand.turn_of(further).conversation_id == stand.turn_of(photo).conversation_id


def test_photos_one_after_another_are_one_question(stand: Stand, telegram: FakeTelegram) -> None:
    ann = telegram.user("pt4")
    chat = telegram.private(ann)
    first = telegram.photo(ann, chat, RED)
    telegram.photo(ann, chat, BLUE)
    telegram.say(ann, chat, "Compare them")

    turn = stand.ready(first)
    assert (turn.question, stored(turn)) == ("Compare them", 2)
    assert len(stand.turns_in(chat)) == 1


def test_a_comment_and_the_picture_forwarded_with_it_are_one_question(stand: Stand, telegram: FakeTelegram) -> None:
    ann = telegram.user("pt5")
    chat = telegram.private(ann)
    words = telegram.say(ann, chat, "Is this real?")
    telegram.photo(ann, chat, RED)

    turn = stand.ready(words)
    assert (turn.question, stored(turn)) == ("Is this real?", 1)
    assert len(stand.turns_in(chat)) == 1


def test_somebody_elses_words_are_no_question_of_my_photo(stand: Stand, telegram: FakeTelegram) -> None:
    ann, bob = telegram.user("pt6"), telegram.user("pt7")
    group = telegram.group("Two", ann, bob)
    first = telegram.say(ann, group, f"{telegram.bot.mention} hello")
    stand.work_on(first).answer("Hello.")
    stand.settled()
    answer = telegram.answers(group)[0].message
    photo = telegram.photo(ann, group, RED, reply_to=answer)
    stand.turn_of(photo)
    words = telegram.say(bob, group, f"{telegram.bot.mention} what is a cube?")

    assert stand.turn_of(words).id != stand.turn_of(photo).id


def test_a_picture_just_sent_to_the_group_is_what_the_mention_after_it_is_about(
    stand: Stand, telegram: FakeTelegram
) -> None:
    ann, bob = telegram.user("gr1"), telegram.user("gr2")
    group = telegram.group("Hears all", ann, bob, admin=True)
    telegram.photo(bob, group, BLUE)
    sent = telegram.album(ann, group, [RED, GREEN])
    asked = telegram.say(ann, group, f"{telegram.bot.mention} which is larger?")

    turn = stand.ready(asked)
    assert [stand.at_colour(a.blob_key) for a in turn.attachments] == ["red", "green"]
    assert all(stand.no_turn_of(message) for message in sent.messages)


def test_an_album_for_us_in_a_group_is_taken_whole(stand: Stand, telegram: FakeTelegram) -> None:
    ann = telegram.user("gr3")
    group = telegram.group("Albums", ann, admin=True)
    mention = telegram.bot.mention
    asked = telegram.album(ann, group, [RED, BLUE, GREEN], captions=["", f"{mention} which?", ""])

    turn = stand.ready(asked.messages[1])
    assert turn.question == "which?"
    assert [stand.at_colour(a.blob_key) for a in turn.attachments] == ["red", "blue", "green"]


@pytest.mark.parametrize("kind", ["png", "pdf", "webp"])
def test_files_as_they_are(stand: Stand, telegram: FakeTelegram, kind: str) -> None:
    ann = telegram.user(f"fi{kind}")
    chat = telegram.private(ann)
    content = {
        "png": RED,
        "pdf": PDF.getvalue(),
        "webp": picture("red", "WEBP"),
    }[kind]
    asked = telegram.document(ann, chat, f"scan.{kind}", content, "What is it?")

    turn = stand.ready(asked)
    pages = 2 if kind == "pdf" else 1
    assert named(turn) == [(f"scan.{kind}", "stored")] * pages


def test_stickers_and_what_moves(stand: Stand, telegram: FakeTelegram) -> None:
    ann = telegram.user("mo1")
    sticker = picture("red", "WEBP", (512, 512))
    sent: dict[str, Callable[[Chat], Said]] = {
        "sticker": lambda chat: telegram.sticker(ann, chat, sticker),
        "sticker of pictures": lambda chat: telegram.sticker(ann, chat, b"webm", kind="video", picture=RED),
        "animation": lambda chat: telegram.clip(ann, chat, "animation", b"mp4", RED, "What moves?"),
        "video": lambda chat: telegram.clip(ann, chat, "video", b"mp4", RED, "What moves?"),
        "video message": lambda chat: telegram.clip(ann, chat, "video_note", b"mp4", RED),
        "live photo": lambda chat: telegram.live_photo(ann, chat, RED, b"mov", "What moves?"),
    }
    for kind, send in sent.items():
        chat = telegram.private(ann)
        telegram.say(ann, chat, "/new")
        turn = stand.ready(send(chat))
        assert [a.state for a in turn.attachments] == ["stored"], kind
        stand.claim(turn.id).answer("Seen.")


def test_what_cannot_be_looked_at_is_named(stand: Stand, telegram: FakeTelegram) -> None:
    ann = telegram.user("no1")
    chat = telegram.private(ann)
    broken = telegram.document(ann, chat, "broken.png", b"not a picture at all", "What is it?")
    large = telegram.document(ann, chat, "large.tif", RED, "And this?", size=30_000_000)
    gone = telegram.document(ann, chat, "gone.png", RED, "And this?", download="gone")

    why = {}
    for said in (broken, large, gone):
        (attachment,) = stand.ready(said).attachments
        assert attachment.state == "refused"
        why[attachment.name] = attachment.error_message
        stand.work_on(said).answer("I saw nothing.")
    stand.settled()
    assert why["large.tif"].startswith("This file is larger than 10 MB.")
    # It was known before, so nothing was asked for.
    assert not [call for call in telegram.called("getFile") if call.arguments["file_id"] == large.files[0].id]
    texts = [one.text for one in telegram.answers(chat)]
    assert all(any(name in text for text in texts) for name in why)


def test_a_download_that_always_breaks_is_given_up_and_explained(stand: Stand, telegram: FakeTelegram) -> None:
    ann = telegram.user("dl1")
    chat = telegram.private(ann)
    asked = telegram.photo(ann, chat, RED, "What is it?", download="truncated")

    (attachment,) = stand.ready(asked).attachments
    assert attachment.state == "refused"
    assert attachment.error_message == "Telegram did not hand it out in time. Please send it again."


def test_a_server_that_fails_for_a_moment_is_asked_again(stand: Stand, telegram: FakeTelegram) -> None:
    ann = telegram.user("fl1")
    chat = telegram.private(ann)
    telegram.faults.break_("getFile")
    telegram.faults.limit("getFile", 1)
    fetched = len(telegram.fetches)
    asked = telegram.photo(ann, chat, RED, "What is it?", download="error")
    telegram.wait_for(lambda: len(telegram.fetches) > fetched)
    for file in asked.files:
        file.download = "whole"

    assert named(stand.ready(asked)) == [("photo", "stored")]


def test_more_pictures_than_one_question_may_have_are_refused_by_name(
    fresh_at: Installation, telegram: FakeTelegram
) -> None:
    with FakeTelegram() as other, adapter_over(fresh_at, other, pictures_per_turn=2) as stand:
        ann = other.user("many")
        asked = other.album(ann, other.private(ann), [RED, BLUE, GREEN], "Which?")
        turn = stand.ready(asked)

    assert [(a.name, a.state) for a in turn.attachments] == [
        ("photo 1", "stored"),
        ("photo 2", "stored"),
        ("photo 3", "refused"),
    ]
    assert until(lambda: turn.attachments[2].error_message, "it says why").startswith("This is more than the 2")
