"""Pictures of messages: all of them, from wherever Slack keeps them, and each that cannot be read by name."""

from io import BytesIO

import pillow_heif
import pytest
from PIL import Image

from core.store.models import Turn
from core.values import AttachmentState, TurnState
from tests.fakes.slack import Channel, StoredFile, User
from tests.integration.slack.office import Office, ask_in
from tests.integration.web.site import picture


def heic() -> bytes:
    """A picture as telephones take them."""
    out = BytesIO()
    pillow_heif.from_pillow(Image.new("RGB", (64, 48), "green")).save(out, quality=50)
    return out.getvalue()


def pdf(pages: int) -> bytes:
    """A document of so many pages."""
    out = BytesIO()
    first, *rest = [Image.new("RGB", (200, 280), "white") for _ in range(pages)]
    first.save(out, "PDF", save_all=True, append_images=rest)
    return out.getvalue()


def team(office: Office, name: str) -> tuple[User, Channel, str]:
    """Somebody, a channel, and how our name stands in a message."""
    ann = office.slack.user("ann")
    return ann, office.slack.channel(name, ann), office.slack.workspace.bot_user.mention


def gathered(office: Office, channel: Channel, ts: str) -> Turn:
    """The turn when all of its files are here or refused."""
    return office.until_state(office.turn_of(channel, ts).id, TurnState.READY)


def end(office: Office, turn: Turn) -> str:
    """Answer it; what is said below the question."""
    office.claim(turn.id).answer("Seen.")
    with office.at.store.read() as repositories:
        delivery = repositories.deliveries.of_turn(turn.id)
    assert delivery is not None
    target = delivery.target
    channel = office.slack.world.channels[target["channel"]]
    return office.answer_in(channel, target["root"]).text


def kinds(turn: Turn) -> list[tuple[str, str]]:
    """(name, state) of its files."""
    return [(a.name, a.state) for a in turn.attachments]


STORED, REFUSED = AttachmentState.STORED, AttachmentState.REFUSED


def test_three_pictures_of_one_message(office: Office) -> None:
    ann, channel, bot = team(office, "three")
    files = [office.slack.file(f"{c}.png", picture(c), ann) for c in ("red", "green", "blue")]
    ts = ask_in(office, ann, channel, f"{bot} Which is green?", files=files)
    turn = gathered(office, channel, ts)
    assert kinds(turn) == [("red.png", STORED), ("green.png", STORED), ("blue.png", STORED)]
    assert end(office, turn) == "Seen."


@pytest.mark.parametrize("without", [("app_mention",), ("message", "app_mention")])
def test_files_that_an_event_lacks_are_looked_up(office: Office, without: tuple[str, ...]) -> None:
    ann, channel, bot = team(office, "lacking")
    file = office.slack.file("cat.png", picture(), ann)
    ts = ask_in(office, ann, channel, f"{bot} A cat?", files=[file], without_files=without)
    assert kinds(gathered(office, channel, ts)) == [("cat.png", STORED)]


def test_a_mention_event_alone_without_its_files(office: Office) -> None:
    ann, channel, bot = team(office, "mention-only")
    file = office.slack.file("dog.png", picture(), ann)
    ts = ask_in(
        office, ann, channel, f"{bot} A dog?", files=[file], without_files=("app_mention",), only=("app_mention",)
    )
    assert kinds(gathered(office, channel, ts)) == [("dog.png", STORED)]


def test_a_message_event_alone_with_a_mention(office: Office) -> None:
    ann, channel, bot = team(office, "message-only")
    file = office.slack.file("cow.png", picture(), ann)
    ts = ask_in(office, ann, channel, f"{bot} A cow?", files=[file], only=("message",))
    assert kinds(gathered(office, channel, ts)) == [("cow.png", STORED)]


def test_a_picture_without_words(office: Office) -> None:
    ann = office.slack.user("ann")
    im = office.slack.im(ann)
    ts = ask_in(office, ann, im, files=[office.slack.file("only.png", picture(), ann)])
    assert kinds(gathered(office, im, ts)) == [("only.png", STORED)]


def test_called_into_a_thread_its_pictures_count(office: Office) -> None:
    ann, channel, bot = team(office, "called-later")
    bob = office.slack.user("bob")
    root = ask_in(office, ann, channel, "Look at this", files=[office.slack.file("root.png", picture("red"), ann)])
    ask_in(office, bob, channel, thread=root, files=[office.slack.file("reply.png", picture("blue"), bob)])
    asked = ask_in(office, bob, channel, f"{bot} what is it?", thread=root)
    turn = gathered(office, channel, asked)
    assert kinds(turn) == [("root.png", STORED), ("reply.png", STORED)]
    end(office, turn)
    # Once we are in the thread, what was there before is not looked at again.
    again = ask_in(office, bob, channel, "And now?", thread=root)
    assert kinds(gathered(office, channel, again)) == []


def test_only_called_into_a_thread_the_root_is_the_question(office: Office) -> None:
    ann, channel, bot = team(office, "root-asks")
    file = office.slack.file("meter.png", picture("red"), ann)
    root = ask_in(office, ann, channel, "What does the meter say?", files=[file])
    asked = ask_in(office, ann, channel, bot, thread=root)
    turn = gathered(office, channel, asked)
    assert (turn.question, kinds(turn)) == ("What does the meter say?", [("meter.png", STORED)])


def test_heic_and_the_pages_of_a_document(office: Office) -> None:
    ann = office.slack.user("ann")
    im = office.slack.im(ann)
    files = [office.slack.file("IMG_1.HEIC", heic(), ann), office.slack.file("two.pdf", pdf(2), ann)]
    ts = ask_in(office, ann, im, "What are these?", files=files)
    assert kinds(gathered(office, im, ts)) == [("IMG_1.HEIC", STORED), ("two.pdf", STORED), ("two.pdf", STORED)]


def test_a_file_that_is_too_large_is_seen_by_its_preview(office: Office) -> None:
    ann = office.slack.user("ann")
    im = office.slack.im(ann)
    file = office.slack.file("huge.png", picture("red", size=(1200, 900)), ann, size=11 * 2**20)
    ts = ask_in(office, ann, im, "Huge?", files=[file])
    turn = gathered(office, im, ts)
    assert kinds(turn) == [("huge.png", STORED)]
    assert turn.attachments[0].width <= 1024


BROKEN = picture()[:40]


@pytest.mark.parametrize(
    ("name", "file", "why"),
    [
        ("broken.png", {"content": BROKEN}, "broken"),
        ("notes.txt", {"content": b"hello"}, "This is a text"),
        ("page.png", {"download": "login"}, "files:read"),
        ("typed.png", {"download": "wrong"}, "files:read"),
        ("away.png", {"download": "redirect"}, "not stored in Slack itself"),
        ("remote.png", {"external": "https://drive.example/a.png"}, "not stored in Slack itself"),
    ],
)
def test_an_unreadable_file_is_named_beside_the_answer(
    office: Office, name: str, file: dict[str, object], why: str
) -> None:
    ann = office.slack.user("ann")
    im = office.slack.im(ann)
    bad: StoredFile = office.slack.file(name, **{"content": picture(), "owner": ann, **file})  # type: ignore[arg-type]
    good = office.slack.file("good.png", picture(), ann)
    ts = ask_in(office, ann, im, f"And {name}?", files=[bad, good])
    turn = gathered(office, im, ts)
    assert sorted(kinds(turn)) == sorted([(name, REFUSED), ("good.png", STORED)])
    said = end(office, turn)
    assert name in said
    assert why in said
    assert "good.png" not in said


def test_a_redirect_within_slack_keeps_the_token_and_one_elsewhere_never_sees_it(office: Office) -> None:
    ann = office.slack.user("ann")
    im = office.slack.im(ann)
    home = office.slack.file("home.png", picture(), ann, download="redirect_home")
    away = office.slack.file("away.png", picture(), ann, download="redirect")
    ts = ask_in(office, ann, im, "Moved?", files=[home, away])
    assert kinds(gathered(office, im, ts)) == [("home.png", STORED), ("away.png", REFUSED)]
    assert [f.authorised for f in office.slack.fetches if f.file == home.id] == [True, True]
    assert not [f for f in office.slack.fetches if f.host == "foreign"]


def test_slack_connect_tells_of_a_file_only_when_asked(office: Office) -> None:
    ann, bot = office.slack.user("ann"), office.slack.workspace.bot_user.mention
    channel = office.slack.channel("partners", ann, shared=True)
    file = office.slack.file("shared.png", picture(), ann, access="check_file_info")
    ts = ask_in(office, ann, channel, f"{bot} Shared?", files=[file])
    assert kinds(gathered(office, channel, ts)) == [("shared.png", STORED)]


def test_a_file_that_slack_hides_is_a_file_all_the_same(office: Office) -> None:
    ann = office.slack.user("ann")
    im = office.slack.im(ann)
    ts = ask_in(office, ann, im, "Hidden?", files=[office.slack.file("x.png", picture(), ann, access="file_not_found")])
    turn = gathered(office, im, ts)
    assert kinds(turn) == [("", REFUSED)]
    assert "a file could not be used" in end(office, turn)


def test_more_pictures_than_are_looked_at_are_named(office: Office) -> None:
    ann = office.slack.user("ann")
    im = office.slack.im(ann)
    files = [office.slack.file("nine.pdf", pdf(9), ann), office.slack.file("three.pdf", pdf(3), ann)]
    ts = ask_in(office, ann, im, "Twelve?", files=files)
    turn = gathered(office, im, ts)
    assert [state for _, state in kinds(turn)] == [STORED] * 10 + [REFUSED]
    assert "three.pdf could not be used" in end(office, turn)


def test_what_an_answer_points_out_comes_drawn_into_the_picture(office: Office) -> None:
    ann = office.slack.user("ann")
    im = office.slack.im(ann)
    ts = ask_in(office, ann, im, "Where?", files=[office.slack.file("a.png", picture(size=(200, 150)), ann)])
    turn = gathered(office, im, ts)
    box = {"label": "star", "left": 0.1, "top": 0.2, "right": 0.3, "bottom": 0.4}
    office.claim(turn.id).answer("There is a star.", boxes=(box,))
    shown = office.answer_in(im, ts, 2)
    assert "star" in shown.text
    image = next(block for block in shown.message.blocks if block["type"] == "image")
    stored = office.slack.world.files[image["slack_file"]["id"]]
    assert Image.open(BytesIO(stored.content)).size == (200, 150)
    assert office.slack.answers(im, ts)[0].text == "There is a star."
