"""Long threads: their pictures count when we are called in late, and our answer is found in them."""

from core.values import AttachmentState, TurnState
from tests.fakes.slack import Channel, FakeSlack, User
from tests.integration.slack.office import Office, adapter_over, ask_in
from tests.integration.web.site import picture
from tests.processes import Installation, until

STORED, REFUSED = AttachmentState.STORED, AttachmentState.REFUSED
COLOURS = ("red", "green", "blue")


def long_thread(slack: FakeSlack, ann: User, channel: Channel, *, words: int, pictures: int) -> str:
    """A root with a picture, so many words, so many pictures; its ts."""
    root = slack.say(ann, channel, "Root", files=[slack.file("root.png", picture(), ann)], silent=True).ts
    for number in range(words):
        slack.say(ann, channel, f"Word {number}", thread=root, silent=True)
    for number in range(pictures):
        file = slack.file(f"p{number}.png", picture(COLOURS[number % 3]), ann)
        slack.say(ann, channel, thread=root, files=[file], silent=True)
    return root


def files(office: Office, channel: Channel, ts: str) -> list[tuple[str, str]]:
    """(name, state) of what came of it, when everything is there."""
    turn = office.until_state(office.turn_of(channel, ts).id, TurnState.READY)
    return [(a.name, a.state) for a in turn.attachments]


def test_pictures_far_down_a_thread_count(office: Office) -> None:
    ann, bot = office.slack.user("ann"), office.slack.workspace.bot_user.mention
    channel = office.slack.channel("far-down", ann)
    root = long_thread(office.slack, ann, channel, words=40, pictures=2)
    office.slack.history_limit = 15
    try:
        ts = ask_in(office, ann, channel, f"{bot} far down?", thread=root)
        assert files(office, channel, ts) == [("root.png", STORED), ("p0.png", STORED), ("p1.png", STORED)]
    finally:
        office.slack.history_limit = 0


def test_of_too_many_the_root_the_newest_and_ones_own_are_looked_at(office: Office) -> None:
    ann, bot = office.slack.user("ann"), office.slack.workspace.bot_user.mention
    channel = office.slack.channel("too-many", ann)
    root = long_thread(office.slack, ann, channel, words=0, pictures=14)
    own = [office.slack.file("own.png", picture(), ann)]
    ts = ask_in(office, ann, channel, f"{bot} own?", thread=root, files=own)
    names = ["root.png", *(f"p{number}.png" for number in range(6, 14)), "own.png"]
    assert files(office, channel, ts) == [*((name, STORED) for name in names), ("files of the thread", REFUSED)]
    office.take("own?").answer("Yes.")
    said = office.answer_in(channel, root).text
    assert "> files of the thread could not be used: 6 older ones were left out" in said


def test_a_thread_that_slack_does_not_give_to_its_end_says_so(office: Office) -> None:
    ann, bot = office.slack.user("ann"), office.slack.workspace.bot_user.mention
    lin = office.slack.user("lin", locale="zh-CN")
    channel = office.slack.channel("cut-off", ann, lin)
    root = long_thread(office.slack, ann, channel, words=40, pictures=1)
    office.slack.history_limit = 15
    replies = office.slack.faults
    gate = replies.hold("conversations.replies")
    try:
        said = office.slack.say(lin, channel, f"{bot} to its end?", thread=root).wait()
        office.slack.wait_for(lambda: office.slack.called("conversations.replies"), 30)
        replies.refuse("conversations.replies", "internal_error", 1)
        gate.open()
        assert files(office, channel, said.ts) == [("root.png", STORED), ("files of the thread", REFUSED)]
    finally:
        office.slack.history_limit = 0
        office.slack.faults.clear()
    office.take("to its end?").answer("No.")
    assert "话题中的文件" in office.answer_in(channel, root).text


def test_an_answer_whose_ts_got_lost_is_found_behind_many_replies(fresh_at: Installation) -> None:
    with FakeSlack() as slack:
        slack.history_limit = 15
        ann = slack.user("ann")
        channel = slack.channel("busy", ann)
        slack.faults.refuse("chat.startStream", "not_allowed", 9)
        with adapter_over(fresh_at, slack) as office:
            ts = ask_in(office, ann, channel, f"{slack.workspace.bot_user.mention} Found again?")
            work = office.take("Found again?")
            for number in range(40):
                slack.say(ann, channel, f"Meanwhile {number}", thread=ts, silent=True)
            slack.faults.lose_answer("chat.postMessage", 1)
            work.answer("Here it is.")
            until(lambda: office.turn(work.turn.id).state == TurnState.DELIVERED, "it is delivered")
            assert [s.text for s in slack.seen(channel, ts) if s.message.bot_id] == ["Here it is."]
