"""Where people ask, and how each question is answered once, in its thread."""

from tests.integration.slack.office import Office, ask_in


def test_a_direct_message(office: Office) -> None:
    ann = office.slack.user("ann")
    im = office.slack.im(ann)
    ts = ask_in(office, ann, im, "What colour is it?")
    work = office.take("What colour is it?")
    work.say("It is ", "red, and round like a ball that somebody has thrown very far.")
    work.answer("It is red, and round like a ball that somebody has thrown very far.")
    answer = office.answer_in(im, ts)
    assert answer.text == "It is red, and round like a ball that somebody has thrown very far."
    assert answer.buttons == ("👍", "👎")
    assert len(office.slack.answers(im, ts)) == 1
