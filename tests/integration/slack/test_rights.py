"""Who may do what: commands where we are no member, what only admins decide, and tries by who asked."""

from tests.fakes.slack import FakeSlack, Seen, User
from tests.integration.slack.office import Office, adapter_over, ask_in
from tests.processes import Installation, until


def told(slack: FakeSlack, channel: object, user: User, words: str, thread: str = "") -> Seen:
    """What only this person sees, as soon as it says so."""
    seen = slack.wait_for(lambda: [s for s in slack.seen(channel, thread, by=user) if words in s.text], 30)  # type: ignore[arg-type]
    return seen[-1]


def test_a_command_is_answered_where_we_are_no_member(office: Office) -> None:
    ann = office.slack.user("ann")
    for private in (False, True):
        channel = office.slack.channel("not-ours", ann, bot=False, private=private)
        assert office.slack.command(ann, channel, "mode").wait().acknowledged
        seen = told(office.slack, channel, ann, "What shall I be here?")
        assert seen.message.ephemeral_to == ann.id
        # Its buttons work, too.
        assert office.slack.press(ann, seen.message, "glimt_button_0").wait().acknowledged
        told(office.slack, channel, ann, "the mode here is")


def test_only_admins_decide_for_everybody_where_it_is_set_so(fresh_at: Installation) -> None:
    with FakeSlack() as slack, adapter_over(fresh_at, slack, slack_steering="admins") as office:
        boss, ann, bob = slack.user("boss", admin=True), slack.user("ann"), slack.user("bob")
        channel = slack.channel("steered", boss, ann, bob)
        bot = slack.workspace.bot_user.mention

        def mode() -> str:
            with fresh_at.store.read() as repositories:
                workspace = repositories.people.known_workspace("slack", slack.workspace.id)  # type: ignore[arg-type]
                assert workspace is not None
                place = repositories.places.known(workspace.id, channel.id)
            return place.persona if place is not None else ""

        assert slack.command(ann, channel, "mode tutor").wait().acknowledged
        told(slack, channel, ann, "only admins of the workspace")
        assert slack.command(ann, channel, "mode").wait().acknowledged
        assert told(slack, channel, ann, "What shall I be here?").buttons == ()
        assert mode() == ""
        assert slack.command(boss, channel, "mode tutor").wait().acknowledged
        until(lambda: mode() == "tutor", "the admin's choice holds")
        assert slack.command(ann, slack.im(ann), "mode documents").wait().acknowledged
        until(lambda: [s for s in slack.seen(slack.im(ann)) if "documents" in s.text], "one's own is one's own")

        root = ask_in(office, ann, channel, f"{bot} Is somebody there?")
        office.take("Is somebody there?").answer("I am.")
        office.answer_in(channel, root)
        ask_in(office, bob, channel, "!human", thread=root)
        told(slack, channel, bob, "only admins of the workspace", thread=root)
        ask_in(office, ann, channel, "!human", thread=root)
        handed = slack.wait_for(lambda: [s for s in slack.seen(channel, root) if "asked for a person" in s.text], 30)[0]
        assert slack.press(bob, handed.message, "glimt_button_0").wait().acknowledged
        until(lambda: len([s for s in slack.seen(channel, root, by=bob) if "only admins" in s.text]) == 2, "not Bob")
        assert slack.press(boss, handed.message, "glimt_button_0").wait().acknowledged
        slack.wait_for(lambda: [s for s in slack.seen(channel, root) if "I answer here again" in s.text], 30)


def test_an_earlier_question_is_tried_again_by_its_own_button(office: Office) -> None:
    ann, bob = office.slack.user("ann"), office.slack.user("bob")
    channel = office.slack.channel("tries", ann, bob)
    root = ask_in(office, ann, channel, f"{office.slack.workspace.bot_user.mention} Tried first?")
    office.take("Tried first?").fail("deadline", "This took too long. Please ask again.")
    failed = office.answer_in(channel, root)
    ask_in(office, bob, channel, "Tried second?", thread=root)
    office.take("Tried second?").answer("Yes.")
    office.answer_in(channel, root, 2)
    assert office.slack.press(bob, failed.message, "glimt_button_0").wait().acknowledged
    told(office.slack, channel, bob, "Somebody else asked this", thread=root)
    assert office.slack.press(ann, failed.message, "glimt_button_0").wait().acknowledged
    office.take("Tried first?").answer("Now it is done.")
    until(lambda: office.slack.answers(channel, root)[-1].text == "Now it is done.", "it is answered")
    office.settled()


def test_while_something_behind_it_is_answered_it_has_to_wait(office: Office) -> None:
    ann, bob = office.slack.user("ann"), office.slack.user("bob")
    channel = office.slack.channel("tries-later", ann, bob)
    root = ask_in(office, ann, channel, f"{office.slack.workspace.bot_user.mention} Waits first?")
    office.take("Waits first?").fail("deadline", "This took too long. Please ask again.")
    office.answer_in(channel, root)
    ask_in(office, bob, channel, "Waits second?", thread=root)
    work = office.take("Waits second?")
    ask_in(office, ann, channel, "!retry", thread=root)
    told(office.slack, channel, ann, "while nothing that was asked after it", thread=root)
    work.answer("Yes.")
    until(lambda: office.slack.answers(channel, root)[-1].text == "Yes.", "the second is answered")
    ask_in(office, ann, channel, "!retry", thread=root)
    office.take("Waits first?").answer("At last.")
    until(lambda: office.slack.answers(channel, root)[-1].text == "At last.", "and then the first")
    office.settled()
