"""Channels that are shared with other organisations, organisations of many workspaces, and other robots."""

import json

import pytest

from bots.slack.pressing import FORM
from core.store.models import Workspace as WorkspaceRow
from tests.fakes.slack import Channel, FakeSlack, User
from tests.integration.slack.office import Office, adapter_over, ask_in
from tests.integration.web.site import picture
from tests.processes import Installation, until

SAID = "There are three boats in the harbour, and one of them is red."


def partners(office: Office) -> tuple[User, Channel, str]:
    """Somebody from another organisation, in a channel that is shared with it, and our name."""
    elsewhere = office.slack.add_workspace("partner", scopes=None)
    eve = office.slack.user("eve", workspace=elsewhere)
    return eve, office.slack.channel("shared", eve, shared=True), office.slack.workspace.bot_user.mention


def test_somebody_from_elsewhere_is_answered_in_a_stream(office: Office) -> None:
    eve, channel, bot = partners(office)
    ts = ask_in(office, eve, channel, f"{bot} From elsewhere?")
    work = office.take("From elsewhere?").say(SAID)
    shown = office.slack.wait_for(lambda: [s for s in office.slack.seen(channel, ts) if s.text == SAID], 30)[0]
    assert shown.streaming
    work.answer(SAID)
    office.settled()
    started = [c for c in office.slack.called("chat.startStream") if c.arguments["channel"] == channel.id]
    assert {c.arguments["recipient_team_id"] for c in started} == {eve.team_id}
    assert [s.text for s in office.slack.answers(channel, ts)] == [SAID]


def test_a_recipient_that_slack_does_not_take_costs_the_stream_and_not_the_answer(office: Office) -> None:
    assert office.adapter is not None
    eve, channel, bot = partners(office)
    office.slack.faults.refuse("chat.startStream", "user_not_found", 1)
    ts = ask_in(office, eve, channel, f"{bot} Not found?")
    work = office.take("Not found?").say(SAID)
    office.slack.wait_for(lambda: [c for c in office.slack.called("chat.startStream") if c.error], 30)
    work.answer(SAID)
    assert office.answer_in(channel, ts).text == SAID
    # Elsewhere in the workspace streams go on.
    ann = office.slack.user("ann")
    im = office.slack.im(ann)
    again = ask_in(office, ann, im, "Still streaming?")
    work = office.take("Still streaming?").say(SAID)
    office.slack.wait_for(lambda: [s for s in office.slack.seen(im, again) if s.streaming], 30)
    work.answer(SAID)
    assert office.answer_in(im, again).text == SAID


def test_buttons_and_forms_of_somebody_from_elsewhere(office: Office) -> None:
    eve, channel, bot = partners(office)
    ts = ask_in(office, eve, channel, f"{bot} To be pressed?")
    work = office.take("To be pressed?")
    work.answer(SAID)
    seen = office.answer_in(channel, ts)
    assert office.slack.press(eve, seen.message, "glimt_feedback", choice="positive").wait().acknowledged

    def rated() -> bool:
        with office.at.store.read() as repositories:
            return bool(repositories.feedback.of_turn(work.turn.id))

    until(rated, "the verdict is kept")
    said = office.slack.say(eve, channel, "Look", files=[office.slack.file("a.png", picture(), eve)])
    assert office.slack.shortcut(eve, said.message, "ask_about_picture").wait().acknowledged
    form = office.slack.wait_for(lambda: [v for v in office.slack.world.modals.values() if v["user"] == eve.id], 30)[0]
    values = {"question": {"question": {"type": "plain_text_input", "value": "Whose form is it?"}}}
    assert office.slack.submit(eve, form, values).wait().acknowledged
    office.take("Whose form is it?").answer("Ours.")
    assert office.answer_in(channel, said.ts).text == "Ours."
    with office.at.store.read() as repositories:
        names = {row.external_id for row in repositories.session.query(WorkspaceRow)}
    assert eve.team_id not in names


def test_the_same_channel_of_two_workspaces_is_two_conversations(office: Office) -> None:
    ann = office.slack.user("ann")
    channel = office.slack.channel("twice", ann)
    said = office.slack.say(ann, channel, f"{office.slack.workspace.bot_user.mention} Once?").wait()
    office.take("Once?").answer("Yes.")
    office.answer_in(channel, said.ts)
    stranger = office.slack.add_workspace("stranger", scopes=None)
    before = office.events()
    # A workspace that has not installed us: acknowledged, and nothing is done.
    assert office.slack.deliver(said.deliveries[0].payload["event"], workspace=stranger).wait().acknowledged
    assert office.events() == before


def test_an_organisation_that_names_no_workspace_in_its_events(office: Office) -> None:
    ann = office.slack.user("ann")
    im = office.slack.im(ann)
    said = office.slack.say(ann, im, "Which workspace?", only=())
    event = {"type": "message", "channel": im.id, "channel_type": "im", "user": ann.id, "ts": said.ts}
    payload = office.slack.deliver({"type": "none"}, channel=im).wait().payload
    payload = json.loads(json.dumps(payload)) | {
        "team_id": None,
        "enterprise_id": "E0ORG",
        "event": event | {"text": "Which workspace?", "team": "E0ORG", "user_team": "E0ORG"},
    }
    assert office.slack.deliverer.start("events_api", payload).wait().acknowledged
    office.take("Which workspace?").answer("Acme.")
    assert office.answer_in(im, said.ts).text == "Acme."


@pytest.mark.parametrize(
    "who", [{"bot_id": "B0OTHER"}, {"user": "USLACKBOT"}, {"subtype": "bot_message", "bot_id": "B0OTHER"}]
)
def test_robots_are_not_answered_even_in_our_threads(office: Office, who: dict[str, str]) -> None:
    ann = office.slack.user("ann")
    channel = office.slack.channel("robots", ann)
    bot = office.slack.workspace.bot_user.mention
    root = ask_in(office, ann, channel, f"{bot} Hello {sorted(who)}?")
    office.take(f"Hello {sorted(who)}?").answer("Hello.")
    office.answer_in(channel, root)
    before = office.events()
    event = {"type": "message", "channel": channel.id, "channel_type": "channel", "ts": "1900000000.1", "user": ann.id}
    event |= {"text": f"{bot} hello", "thread_ts": root, **who}
    assert office.slack.deliver(event, channel=channel).wait().acknowledged
    assert office.slack.deliver(event | {"type": "app_mention"}, channel=channel).wait().acknowledged
    assert office.events() == before


def test_a_broadcast_reply_is_one_question_in_its_thread(office: Office) -> None:
    ann = office.slack.user("ann")
    channel = office.slack.channel("broadcast", ann)
    bot = office.slack.workspace.bot_user.mention
    root = ask_in(office, ann, channel, f"{bot} In the thread?")
    office.take("In the thread?").answer("Yes.")
    office.answer_in(channel, root)
    ask_in(office, ann, channel, "And for all to see?", thread=root, broadcast=True)
    office.take("And for all to see?").answer("As well.")
    assert office.answer_in(channel, root, 2).text == "As well."
    assert not [s for s in office.slack.seen(channel) if s.message.bot_id and not s.message.thread_ts]


def test_a_form_that_is_not_as_we_made_it_asks_nothing(fresh_at: Installation) -> None:
    with FakeSlack() as slack:
        ann = slack.user("ann")
        allowed, other = slack.channel("allowed", ann), slack.channel("other", ann)
        with adapter_over(fresh_at, slack, slack_channels=(allowed.id,)) as office:
            good = {"channel": other.id, "ts": "1.0", "root": "1.0", "files": []}
            for metadata in (
                "",
                "[]",
                "{",
                json.dumps({"channel": allowed.id}),
                json.dumps(good | {"files": [{}]}),
                json.dumps(good),
            ):
                view = {"id": "V1", "type": "modal", "callback_id": FORM, "private_metadata": metadata, "blocks": []}
                assert slack.submit(ann, view).wait().acknowledged
            assert office.events() == 0
