"""What admins decide, as a Slack workspace notices it, in a bots process that is not started again."""

from core.values import Platform
from tests.deciding import decide, until_noticed
from tests.fakes.slack import Channel, FakeSlack, User
from tests.integration.slack.office import Office, adapter_over, ask_in
from tests.integration.slack.test_rights import told
from tests.integration.web.site import picture
from tests.processes import PATIENCE_S, Installation


def channel_where(office: Office, name: str, *people: User, **decided: object) -> Channel:
    """A channel for which this is decided, and known to the running process."""
    channel = office.slack.channel(name, *people)
    decide(office.at.store, Platform.SLACK, channel.team_id, channel.id, **decided)
    noticed(office)
    return channel


def noticed(office: Office) -> None:
    """Until the running process has noticed by itself what was decided."""
    until_noticed(office.at.store, office.services.policies)


def test_a_channel_where_every_message_with_a_picture_is_answered(office: Office) -> None:
    ann = office.slack.user("ann")
    channel = office.slack.channel("all-pictures", ann)
    unheard = ask_in(office, ann, channel, "Before", files=[office.slack.file("a.png", picture(), ann)])
    decide(office.at.store, Platform.SLACK, channel.team_id, channel.id, listens="pictures")
    noticed(office)
    ts = ask_in(office, ann, channel, "Which colour?", files=[office.slack.file("b.png", picture(), ann)])
    office.take("Which colour?").answer("Red.")
    assert office.answer_in(channel, ts).text == "Red."
    alone = ask_in(office, ann, channel, files=[office.slack.file("c.png", picture(), ann)])
    assert office.turn_of(channel, alone).question == ""
    words = ask_in(office, ann, channel, "Only words")
    notes = ask_in(office, ann, channel, "A zip", files=[office.slack.file("d.zip", b"PK", ann)])
    for silent in (unheard, words, notes):
        assert office.event_turn(f"{channel.team_id}:{channel.id}:{silent}") is None


def test_a_channel_where_only_mentions_are_answered(office: Office) -> None:
    ann, bot = office.slack.user("ann"), office.slack.workspace.bot_user.mention
    channel = channel_where(office, "mentions", ann, listens="mentions")
    root = ask_in(office, ann, channel, f"{bot} What is it, mentioned?")
    office.take("What is it, mentioned?").answer("A star.")
    office.answer_in(channel, root)
    follow_up = ask_in(office, ann, channel, "And now?", thread=root)
    mentioned = ask_in(office, ann, channel, f"{bot} And now, mentioned?", thread=root)
    assert office.turn_of(channel, mentioned).seq == 2
    assert office.event_turn(f"{channel.team_id}:{channel.id}:{follow_up}") is None


def test_a_silent_channel(office: Office) -> None:
    ann, bot = office.slack.user("ann"), office.slack.workspace.bot_user.mention
    channel = channel_where(office, "silent", ann, listens="never")
    ts = ask_in(office, ann, channel, f"{bot} Anybody?")
    ask_in(office, ann, channel, f"{bot} help")
    direct = ask_in(office, ann, office.slack.im(ann), "And here?")
    assert office.turn_of(office.slack.im(ann), direct).question == "And here?"
    assert office.event_turn(f"{channel.team_id}:{channel.id}:{ts}") is None
    assert office.slack.seen(channel, ts)[1:] == []


def test_who_must_not_ask_is_told_once_where_he_is_alone_and_never_in_a_channel(fresh_at: Installation) -> None:
    with FakeSlack() as slack, adapter_over(fresh_at, slack) as office:
        ann, bob = slack.user("ann"), slack.user("bob", locale="zh-CN")
        channel, bot = slack.channel("few", ann, bob), slack.workspace.bot_user.mention
        decide(fresh_at.store, Platform.SLACK, channel.team_id, people=[ann.id])
        noticed(office)
        im = slack.im(bob)
        refused = [ask_in(office, bob, im, f"Let me in {n}") for n in range(3)]
        ask_in(office, bob, channel, f"{bot} Let me in here")
        slack.wait_for(lambda: [seen for ts in refused for seen in slack.answers(im, ts)], PATIENCE_S)
        served = ask_in(office, ann, channel, f"{bot} I may ask")
        office.take("I may ask").answer("You may.")
        office.answer_in(channel, served)
        said = [seen.text for ts in refused for seen in slack.answers(im, ts)]
        assert said == ["我不能在这里回答你：由管理员决定可以回答谁。请让你的管理员把你加进来。"]
        assert office.turns() == 1
        assert not [seen for seen in slack.seen(channel, by=bob) if "管理员" in seen.text]
        # A command is answered to him alone.
        assert slack.command(bob, channel, "help").wait().acknowledged
        told(slack, channel, bob, "管理员")
        # And so is the press of a button.
        answer = office.answer_in(channel, served)
        assert slack.press(bob, answer.message, "glimt_feedback", choice="positive").wait().acknowledged
        told(slack, channel, bob, "管理员", thread=served)


def test_a_quota_that_is_reached_is_said_in_chinese_once_for_both_events(fresh_at: Installation) -> None:
    with FakeSlack() as slack, adapter_over(fresh_at, slack) as office:
        bob = slack.user("bob", locale="zh-CN")
        channel, bot = slack.channel("much", bob), slack.workspace.bot_user.mention
        decide(fresh_at.store, Platform.SLACK, channel.team_id, questions_per_day=1)
        noticed(office)
        first = ask_in(office, bob, channel, f"{bot} One?")
        office.take("One?").answer("1")
        office.answer_in(channel, first)
        second = ask_in(office, bob, channel, f"{bot} Two?")
        told(slack, channel, bob, "你已达到提问上限：每天 1 个", thread=second)
        decide(fresh_at.store, Platform.SLACK, channel.team_id, questions_per_day=0)
        noticed(office)
        third = ask_in(office, bob, channel, f"{bot} Three?")
        assert office.turn_of(channel, third).question == "Three?"
        assert len([seen for seen in slack.seen(channel, second, by=bob) if "提问上限" in seen.text]) == 1


def test_modes_that_may_be_chosen_are_listed_with_those_of_the_admin(office: Office) -> None:
    ann = office.slack.user("ann")
    channel = channel_where(office, "modes", ann, hidden=["moderation"])
    shop = {"name": "shop", "title": "Our shop's shelves", "system_prompt": "You sell."}
    decide(office.at.store, Platform.SLACK, channel.team_id, personas=[shop])
    noticed(office)
    assert office.slack.command(ann, channel, "mode").wait().acknowledged
    listed = told(office.slack, channel, ann, "What shall I be here?").text
    assert "**shop**: Our shop's shelves" in listed
    assert "moderation" not in listed
    assert office.slack.command(ann, channel, "mode our shop's SHELVES").wait().acknowledged
    told(office.slack, channel, ann, "the mode here is shop: Our shop's shelves")
    # Removed while it is in use: the mode that counts then answers.
    decide(office.at.store, Platform.SLACK, channel.team_id)
    noticed(office)
    assert office.slack.command(ann, channel, "mode shop").wait().acknowledged
    assert "**plain** (now)" in told(office.slack, channel, ann, "There is no mode “shop”").text
