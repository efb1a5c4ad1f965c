"""Commands, the shortcut of a message, suggestions, and what is said to who asks for too much."""

import json

from bots.slack.pressing import FORM
from core.values import TurnState
from tests.fakes.slack import FakeSlack, User
from tests.integration.slack.office import Office, adapter_over, ask_in
from tests.integration.slack.over_http import serving_http
from tests.integration.web.site import picture
from tests.processes import Installation, until

SHORTCUT = "ask_about_picture"


def test_help_is_only_for_who_asked(office: Office) -> None:
    ann, bob = office.slack.user("ann"), office.slack.user("bob")
    channel = office.slack.channel("helping", ann, bob)
    assert office.slack.command(ann, channel, "help").wait().acknowledged
    seen = office.slack.wait_for(lambda: [s for s in office.slack.seen(channel, by=ann) if "privacy" in s.text], 30)
    assert "**stop**" in seen[0].text
    assert not [s for s in office.slack.seen(channel, by=bob) if "privacy" in s.text]


def test_a_command_in_chinese(office: Office) -> None:
    lin = office.slack.user("lin", locale="zh-CN")
    im = office.slack.im(lin)
    ask_in(office, lin, im, "!帮助")
    office.slack.wait_for(lambda: [s for s in office.slack.seen(im, im_root(office, lin)) if "停止" in s.text], 30)


def im_root(office: Office, user: User) -> str:
    """The ts of the first message in somebody's direct conversation."""
    return office.slack.seen(office.slack.im(user))[0].ts


def test_a_command_that_comes_again_is_done_once(office: Office) -> None:
    ann = office.slack.user("ann")
    im = office.slack.im(ann)
    said = office.slack.say(ann, im, "!help", copies=3).wait()
    assert all(delivery.acknowledged for delivery in said.deliveries)
    office.slack.wait_for(lambda: office.slack.answers(im, said.ts), 30)
    ask_in(office, ann, im, "!usage", thread=said.ts)
    office.slack.wait_for(lambda: len(office.slack.answers(im, said.ts)) > 1, 30)
    assert len([s for s in office.slack.answers(im, said.ts) if "**stop**" in s.text]) == 1


def test_help_with_something_is_a_question(office: Office) -> None:
    ann = office.slack.user("ann")
    im = office.slack.im(ann)
    ts = ask_in(office, ann, im, "help me read this")
    assert office.turn_of(im, ts).question == "help me read this"


def test_asking_about_the_picture_of_a_message(office: Office) -> None:
    ann, bob = office.slack.user("ann"), office.slack.user("bob")
    channel = office.slack.channel("shortcut", ann, bob)
    file = office.slack.file("sign.png", picture(), bob)
    said = office.slack.say(bob, channel, "Look", files=[file]).wait()
    assert office.slack.shortcut(ann, said.message, SHORTCUT).wait().acknowledged
    opened = office.slack.wait_for(lambda: [v for v in office.slack.world.modals.values() if v["user"] == ann.id], 30)
    form = opened[0]
    assert form["callback_id"] == FORM
    values = {"question": {"question": {"type": "plain_text_input", "value": "What does the sign say?"}}}
    assert office.slack.submit(ann, form, values).wait().acknowledged
    work = office.take("What does the sign say?")
    assert [(a.name, a.state) for a in office.turn(work.turn.id).attachments] == [("sign.png", "stored")]
    work.answer("Stop.")
    assert office.answer_in(channel, said.ts).text == "Stop."


def test_a_shortcut_where_we_are_not_says_to_invite_us(office: Office) -> None:
    ann = office.slack.user("ann")
    channel = office.slack.channel("elsewhere", ann, bot=False)
    said = office.slack.say(ann, channel, "Look", files=[office.slack.file("a.png", picture(), ann)])
    assert office.slack.shortcut(ann, said.message, SHORTCUT).wait().acknowledged
    office.slack.wait_for(
        lambda: [v for v in office.slack.world.modals.values() if v["user"] == ann.id and "/invite" in json.dumps(v)],
        30,
    )


def test_opening_the_conversation_suggests_questions(office: Office) -> None:
    lin = office.slack.user("lin", locale="zh-CN")
    im = office.slack.im(lin)
    event = {"type": "app_home_opened", "user": lin.id, "channel": im.id, "tab": "messages", "event_ts": "1.0"}
    assert office.slack.deliver(event, channel=im).wait().acknowledged
    prompts = office.slack.wait_for(lambda: office.slack.world.prompts.get((im.id, ""), []), 30)
    assert prompts[0]["title"] == "图片里有什么？"


def test_a_channel_that_is_not_on_the_list_is_not_served(fresh_at: Installation) -> None:
    with FakeSlack() as slack:
        ann = slack.user("ann")
        allowed, other = slack.channel("allowed", ann), slack.channel("other", ann)
        with adapter_over(fresh_at, slack, slack_channels=(allowed.id,)) as office:
            bot = slack.workspace.bot_user.mention
            ask_in(office, ann, other, f"{bot} Here?")
            assert office.events() == 0
            ask_in(office, ann, allowed, f"{bot} There?")
            assert office.turns_about("There?")


def test_too_long_a_question_is_refused_in_words(office: Office) -> None:
    ann = office.slack.user("ann")
    im = office.slack.im(ann)
    ts = ask_in(office, ann, im, "x" * 20_000)
    assert "too long" in office.answer_in(im, ts).text


def test_over_http_questions_are_answered_too(fresh_at: Installation) -> None:
    with FakeSlack() as slack, serving_http(fresh_at, slack) as office:
        ann = slack.user("ann")
        channel = slack.channel("http", ann)
        ts = ask_in(office, ann, channel, f"{slack.workspace.bot_user.mention} Over HTTP?", copies=2)
        office.take("Over HTTP?").answer("Yes.")
        assert office.answer_in(channel, ts).text == "Yes."
        assert slack.command(ann, channel, "help").wait().acknowledged
        office.until_state(office.turn_of(channel, ts).id, TurnState.DELIVERED)
        until(lambda: len(slack.answers(channel, ts)) == 1, "one answer")
