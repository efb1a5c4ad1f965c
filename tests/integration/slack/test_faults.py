"""What goes wrong around the adapter: nothing that Slack was told to be safe is lost, and nothing is answered twice."""

from sqlalchemy import text

from tests.fakes.slack import FakeSlack
from tests.integration.slack.office import adapter_over, ask_in
from tests.integration.web.site import picture
from tests.processes import Installation, until

FIRST = "There are three boats in the harbour, and one of them is red. "
REST = "The red one is the smallest."


def test_a_restart_in_mid_answer_leaves_one_whole_answer(fresh_at: Installation) -> None:
    with FakeSlack() as slack:
        ann = slack.user("ann")
        im = slack.im(ann)
        with adapter_over(fresh_at, slack) as office:
            ts = ask_in(office, ann, im, "Across a restart?")
            work = office.take("Across a restart?").say(FIRST)
            slack.wait_for(lambda: [s for s in slack.seen(im, ts) if s.text == FIRST], 30)
        work.say(REST)
        with adapter_over(fresh_at, slack) as office:
            work.answer(FIRST + REST)
            until(lambda: slack.answers(im, ts) and slack.answers(im, ts)[-1].text == FIRST + REST, "it is whole")
            office.settled()
            assert len([s for s in slack.seen(im, ts) if s.message.bot_id]) == 1


def test_an_answer_that_ended_while_nobody_was_there_comes_with_the_next_start(fresh_at: Installation) -> None:
    with FakeSlack() as slack:
        ann = slack.user("ann")
        im = slack.im(ann)
        with adapter_over(fresh_at, slack) as office:
            ts = ask_in(office, ann, im, "Nobody there?")
            work = office.take("Nobody there?")
        work.answer("Here I am.")
        with adapter_over(fresh_at, slack) as office:
            assert office.answer_in(im, ts).text == "Here I am."


def test_files_that_were_not_fetched_are_fetched_by_the_next_process(fresh_at: Installation) -> None:
    with FakeSlack() as slack:
        ann = slack.user("ann")
        im = slack.im(ann)
        file = slack.file("late.png", picture(), ann, download="hang")
        with adapter_over(fresh_at, slack) as office:
            ts = ask_in(office, ann, im, "Late?", files=[file])
            slack.wait_for(lambda: [f for f in slack.fetches if f.file == file.id], 30)
            turn_id = office.turn_of(im, ts).id
            assert office.turn(turn_id).state == "gathering"
        file.download = "whole"
        with adapter_over(fresh_at, slack) as office:
            until(lambda: office.turn(turn_id).state == "ready", "its file is there")
            assert [(a.name, a.state) for a in office.turn(turn_id).attachments] == [("late.png", "stored")]


def test_while_the_database_is_away_slack_is_not_told_that_it_arrived(fresh_at: Installation) -> None:
    with FakeSlack() as slack:
        slack.deliverer.acknowledge_within = 0.5
        ann = slack.user("ann")
        im = slack.im(ann)
        with adapter_over(fresh_at, slack) as office:
            with fresh_at.store.write() as repositories:
                repositories.session.execute(text("ALTER TABLE inbound_events RENAME TO away"))
            said = slack.say(ann, im, "Is the database there?")
            until(lambda: said.deliveries[0].attempts, "the first attempt has ended")
            assert not said.deliveries[0].attempts[0].ok
            with fresh_at.store.write() as repositories:
                repositories.session.execute(text("ALTER TABLE away RENAME TO inbound_events"))
            said.wait(30)
            office.take("Is the database there?").answer("Now it is.")
            assert office.answer_in(im, said.ts).text == "Now it is."
            office.settled()
            assert len(office.turns_about("Is the database there?")) == 1


def test_a_deaf_connection_is_replaced(fresh_at: Installation) -> None:
    with FakeSlack() as slack:
        ann = slack.user("ann")
        im = slack.im(ann)
        with adapter_over(fresh_at, slack, ping_s=0.1) as office:
            assert office.adapter is not None
            socket = office.adapter.socket
            assert socket is not None
            slack.wedge()
            until(lambda: socket.built > 1, "another client is built")
            slack.mend()
            until(lambda: socket.connected.is_set() and slack.connected, "it is connected")
            ts = slack.say(ann, im, "Do you hear me?").wait(60).ts
            office.take("Do you hear me?").answer("Yes.")
            assert office.answer_in(im, ts).text == "Yes."


def test_slack_closes_connections_now_and_then(fresh_at: Installation) -> None:
    with FakeSlack() as slack:
        ann = slack.user("ann")
        im = slack.im(ann)
        with adapter_over(fresh_at, slack, ping_s=0.2) as office:
            for reason in ("refresh_requested", "abrupt"):
                slack.disconnect(reason)
                until(lambda: slack.connected, "it is connected again")
                ts = slack.say(ann, im, f"After {reason}?").wait(60).ts
                office.take(f"After {reason}?").answer("Yes.")
                assert office.answer_in(im, ts).text == "Yes."
