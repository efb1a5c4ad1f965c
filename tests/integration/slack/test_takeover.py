"""An admin answers in a thread of Slack's: text and pictures arrive once, whatever goes wrong."""

import signal
from pathlib import Path

import pytest

from bots.slack.manifest import BOT_SCOPES
from core.store.models import Conversation, Delivery
from tests.fakes.slack import Channel, FakeSlack
from tests.integration.operating import Operator
from tests.integration.slack.office import Office, ask_in, asked
from tests.integration.web.site import picture
from tests.processes import PATIENCE_S, Installation, installation, until

TAKEN = "A person answers you here now, and I stay silent meanwhile."
BACK = "I answer here again."


def operator(office: Office) -> Operator:
    return Operator(office.at.store, office.at.redis, office.settings)


def texts(office: Office, channel: Channel, thread: str) -> list[str]:
    return [seen.text for seen in office.slack.answers(channel, thread)]


def taken_over(office: Office, question: str) -> tuple[Channel, str, str, Operator]:
    """A thread with an answer, which an admin has taken over: channel, root, conversation."""
    _, channel, ts = asked(office, question)
    turn = office.take(question).answer("A red dress.")
    office.answer_in(channel, ts)
    anna = operator(office)
    anna.take(turn.conversation_id)
    return channel, ts, turn.conversation_id, anna


def test_words_and_pictures_arrive_in_the_thread_once_and_call_nobody(quiet: Office) -> None:
    channel, ts, thread, anna = taken_over(quiet, "Which dress?")
    ann = quiet.slack.user("ann")
    ask_in(quiet, ann, channel, "And in blue?", thread=ts)
    words = "*This* one <!channel> <@U123> & co: https://shop.example/a?b=1&c=2. Is it?"
    anna.say(thread, words)
    anna.say(thread, "Like this.", [anna.picture("blue")])
    anna.say(thread, "", [anna.picture("green")])
    anna.back(thread)
    quiet.settled()
    seen = quiet.slack.answers(channel, ts)[1:]
    shown = words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert [one.text for one in seen][:2] == [TAKEN, shown]
    assert len(seen) == 5
    assert seen[-1].text == BACK
    link = [{"type": "link", "url": "https://shop.example/a?b=1&c=2"}]
    (rich,) = seen[1].message.blocks
    (section,) = rich["elements"]
    assert [element for element in section["elements"] if element["type"] != "text"] == link
    assert "".join(e.get("text") or e.get("url", "") for e in section["elements"]) == words
    kinds = [[block["type"] for block in one.message.blocks] for one in seen[2:4]]
    assert kinds == [["rich_text", "image"], ["image"]]
    names = [quiet.slack.world.files[one.message.blocks[-1]["slack_file"]["id"]].name for one in seen[2:4]]
    assert names == ["blue.png", "green.png"]
    assert all(not one.buttons for one in seen)


def test_what_the_person_sends_meanwhile_is_fetched_for_the_admin(quiet: Office) -> None:
    channel, ts, thread, anna = taken_over(quiet, "Meanwhile?")
    ann = quiet.slack.user("ann")
    file = quiet.slack.file("receipt.png", picture("green"), ann)
    said = ask_in(quiet, ann, channel, "Look at this", thread=ts, files=[file])
    turn = quiet.turn_of(channel, said)
    until(lambda: [a.state for a in quiet.turn(turn.id).attachments] == ["stored"], "its file is there")
    assert quiet.turn(turn.id).state == "handed_over"
    # Nothing is said of it by the model.
    quiet.settled()
    assert texts(quiet, channel, ts)[1:] == [TAKEN]
    anna.back(thread, answer_open=True)
    quiet.take("Look at this").answer("A receipt.")
    quiet.answer_in(channel, ts, 4)
    assert texts(quiet, channel, ts)[1:] == [TAKEN, BACK, "A receipt."]


def test_a_long_text_comes_in_parts_and_then_its_picture(quiet: Office) -> None:
    channel, ts, thread, anna = taken_over(quiet, "A long one?")
    long = "\n\n".join(f"{n} " + "word " * 500 for n in range(6))
    anna.say(thread, long, [anna.picture()])
    quiet.settled()
    seen = quiet.slack.answers(channel, ts)[2:]
    assert [block["type"] for one in seen for block in one.message.blocks] == ["rich_text", "rich_text", "image"]


@pytest.mark.parametrize(
    ("fault", "pictured"), [("lose_answer", False), ("lose_answer", True), ("break_", False), ("limit", True)]
)
def test_whatever_slack_does_with_a_message_it_comes_once(quiet: Office, fault: str, pictured: bool) -> None:
    channel, ts, thread, anna = taken_over(quiet, f"Once in spite of {fault} {pictured}?")
    until(lambda: texts(quiet, channel, ts)[1:] == [TAKEN], "it is said")
    getattr(quiet.slack.faults, fault)("chat.postMessage")
    anna.say(thread, "Only once.", [anna.picture()] if pictured else [])
    quiet.settled()
    assert len(texts(quiet, channel, ts)) == 3


def test_a_lost_upload_is_made_anew_and_shown_once(quiet: Office) -> None:
    channel, ts, thread, anna = taken_over(quiet, "An upload?")
    until(lambda: texts(quiet, channel, ts)[1:] == [TAKEN], "it is said")
    quiet.slack.faults.lose_answer("files.completeUploadExternal")
    anna.say(thread, "Here.", [anna.picture()])
    quiet.settled()
    assert len(texts(quiet, channel, ts)) == 3


@pytest.mark.faults
def test_a_bots_process_killed_while_it_sends_leaves_one_message(tmp_path: Path) -> None:
    with FakeSlack(scopes=BOT_SCOPES) as slack, installation(tmp_path) as at:
        at.env |= {
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_APP_TOKEN": slack.app_token,
            "SLACK_API_URL": slack.api_url,
        }
        at.start_worker()
        at.start_bots()
        slack.wait_for(lambda: slack.connected, PATIENCE_S)
        ann = slack.user("ann")
        im = slack.im(ann)
        said = slack.say(ann, im, "Killed?").wait(PATIENCE_S)
        slack.wait_for(lambda: slack.answers(im, said.ts), PATIENCE_S)
        conversation_id = _conversation(at)
        anna = Operator(at.store, at.redis, at.settings)
        # Once before anything was sent, once while Slack has the message and has not told of it.
        _kill_bots(at)
        anna.take(conversation_id)
        anna.say(conversation_id, "While nobody is there.")
        at.start_bots()
        slack.wait_for(lambda: len(slack.answers(im, said.ts)) == 3, PATIENCE_S)
        before, held = len(slack.called("chat.postMessage")), slack.faults.hold("chat.postMessage")
        anna.say(conversation_id, "In the middle.", [anna.picture()])
        slack.wait_for(lambda: len(slack.called("chat.postMessage")) > before, PATIENCE_S)
        _kill_bots(at)
        held.open()
        slack.wait_for(lambda: len(slack.answers(im, said.ts)) == 4, PATIENCE_S)
        at.start_bots()
        until(lambda: _settled(at), "it is known to be there")
        words = [seen.text for seen in slack.answers(im, said.ts)][1:]
        assert words[:2] == [TAKEN, "While nobody is there."]
        assert len(words) == 3
        slack.check()


def _kill_bots(at: Installation) -> None:
    bots = at.processes[-1]
    bots.send_signal(signal.SIGKILL)
    bots.wait()


def _conversation(at: Installation) -> str:
    with at.store.read() as repositories:
        return repositories.session.query(Conversation).one().id


def _settled(at: Installation) -> bool:
    with at.store.read() as repositories:
        left = repositories.session.query(Delivery).filter(Delivery.state.in_(["pending", "sending"]))
        return left.count() == 0
