"""Which pictures are looked at, with which question, and how many at most."""

from core.inference.eyes.plan import MOST_LOOKS, Plan, plan
from core.inference.eyes.wording import LONGEST_QUESTION, wording_for
from core.inference.port import Message, Observation, Picture, Request


def message(text: str, *keys: str, seen: str = "") -> Message:
    """A question with pictures; those in `seen` have been looked at."""
    pictures = tuple(Picture(key, b"", 8, 8) for key in keys)
    return Message("user", text, pictures, tuple(Observation(key, "eyes", "Hm.") for key in seen))


def planned(*messages: Message, about: tuple[str, ...] = (), steered: bool = True, room: int = 99) -> Plan:
    return plan(Request("r", messages, about=about), steered=steered, room=lambda: room)


def looks(plan: Plan) -> list[tuple[str, str]]:
    return [(look.picture.key, look.question) for look in plan.looks]


ANSWER = Message("assistant", "Hm.")


def test_new_pictures_are_looked_at_with_their_question() -> None:
    assert looks(planned(message("Which?", "a", "b"))) == [("a", "Which?"), ("b", "Which?")]


def test_what_was_seen_is_not_looked_at_again_unasked() -> None:
    assert looks(planned(message("What?", "a", seen="a"), ANSWER, message("And this?", "b"))) == [("b", "And this?")]


def test_a_follow_up_is_worth_a_further_look() -> None:
    talk = (message("What?", "a", "b", seen="ab"), ANSWER, message("Which colour is b?"))

    assert looks(planned(*talk, about=("b",))) == [("b", "Which colour is b?")]
    assert looks(planned(*talk)) == []


def test_eyes_that_no_question_steers_see_nothing_new() -> None:
    talk = (message("What?", "a", seen="a"), ANSWER, message("Colour?"))

    assert looks(planned(*talk, about=("a",), steered=False)) == []


def test_further_looks_need_room_in_the_prompt() -> None:
    talk = (message("What?", "a", "b", seen="ab"), ANSWER, message("Compare them."))

    assert looks(planned(*talk, about=("b", "a"), room=1)) == [("b", "Compare them.")]
    assert looks(planned(*talk, about=("b", "a"), room=-3)) == []


def test_a_picture_that_nobody_saw_yet_is_looked_at_with_its_own_question() -> None:
    talk = (message("What is it?", "a"), ANSWER, message("And that?", "b"), ANSWER, message("Red?", "c"))

    assert looks(planned(*talk, about=("b",))) == [("c", "Red?"), ("b", "Red?"), ("a", "What is it?")]


def test_a_look_that_failed_is_tried_again_in_the_next_turn() -> None:
    failed = Message("user", "What?", message("", "a").pictures, (Observation("a", "eyes", ""),))

    assert looks(planned(failed, ANSWER, message("Now?"))) == [("a", "What?")]


def test_one_look_for_a_picture_that_comes_twice() -> None:
    assert looks(planned(message("Same?", "a", "a"))) == [("a", "Same?")]
    again = (message("What?", "a", seen="a"), ANSWER, message("And now?", "a"))
    assert looks(planned(*again)) == [("a", "And now?")]


def test_there_is_a_limit_whatever_is_asked() -> None:
    many = [f"p{n}" for n in range(MOST_LOOKS + 2)]

    made = planned(message("Old?", "a"), ANSWER, message("All?", *many))

    assert looks(made) == [(key, "All?") for key in many[:MOST_LOOKS]]
    assert [picture.key for picture in made.missed] == many[MOST_LOOKS:]


def test_eyes_are_asked_in_words_that_they_know() -> None:
    general, demo, reader = (wording_for(name) for name in ("GLM-4.6V-Flash", "demo", "zai-org/GLM-OCR"))

    assert "What is\n it?" not in general.ask("What is\n it?")
    assert "What is it?" in general.ask("What is\n it?")
    assert demo.ask("What is it?") == "Describe the picture."
    assert reader.ask("What is it?") == "Text Recognition:"
    assert (general.steered, demo.steered, reader.steered) == (True, False, False)
    assert general.focus(" What is  IT? ") == general.focus("what is it?") != general.focus("what?")
    assert demo.focus("what?") == demo.focus("why?")
    assert len(general.ask("x" * 10_000)) < LONGEST_QUESTION + 1000
