"""What the lines of an export say."""

from itertools import product
from typing import Any

import pytest

from core.admins import Role
from core.errors import WrongParameter
from core.export.card import fields
from core.export.options import Kind, Pictures, Redact, Shape
from core.store.review.filters import Wanted
from core.store.review.scope import EVERYTHING, ReadScope
from core.values import Platform, utc_now
from tests.deciding import decide
from tests.integration.export.told import Told, lines_of, matches, safe, split, texts


def reviewed(told: Told, turn_id: str, *, correction: str = "", verdict: str = "", note: str = "") -> str:
    """What a new admin says of a turn; his id."""
    with told.store.write() as repositories:
        known = repositories.admins.by_name("rita")
        admin = known or repositories.admins.add("rita", Role.REVIEWER, everywhere=True)
        reviewing = repositories.reviewing(EVERYTHING, admin.id)
        if correction:
            reviewing.correct(turn_id, correction, utc_now())
        if verdict:
            reviewing.judge(turn_id, verdict, utc_now())
        if note:
            reviewing.note(turn_id, note, utc_now())
    return admin.id


def test_a_conversation_is_one_line_with_its_pictures_beside_it(told: Told) -> None:
    first = told.answered("What is this?", "A star.", safe(), thread="t1", name="Ann Lee")
    told.answered("And these?", "Two moons.", safe("a.png", "blue"), safe("b.png", "green"), thread="t1")
    told.rated(first, 1, "nice")
    export = told.export()
    lines, files = split(export)
    assert len(lines) == 1
    line = lines[0]
    assert texts(line["messages"]) == [
        ("system", "Answer briefly."),
        ("user", "#What is this?"),
        ("assistant", "A star."),
        ("user", "##And these?"),
        ("assistant", "Two moons."),
    ]
    assert line["images"] == list(files)
    assert [data[:4] for data in files.values()] == [b"\x89PNG"] * 3
    about = line["metadata"]
    assert (about["conversation"], about["part"], about["platform"]) == (first.conversation_id, 1, "web")
    assert about["title"] == "What is this?"
    turn = about["turns"][0]
    assert (turn["turn"], turn["number"], turn["name"], turn["model"]) == (first.turn_id, 1, "Ann Lee", "demo")
    assert turn["feedback"] == [{"person": first.person_id, "rating": 1, "reason": "nice"}]
    assert turn["pictures"][0] | {"file": ""} == {
        "of": "question", "file": "", "name": "chart.png", "width": 32, "height": 24, "why_not": "",
    }  # fmt: skip
    assert export.summary() == {"conversations": 1, "lines": 1, "turns": 2, "pictures": 3, "missing_pictures": 0}


def test_conversations_come_in_their_order_and_only_those_that_may_be_read_and_are_wanted(told: Told) -> None:
    first = told.answered("one", "1", thread="a")
    told.answered("two", "2", thread="b", person="bob")
    told.answered("three 颜色", "3", thread="c", person="bob")
    told.answered("four", "4", thread="a")
    everything = [line["metadata"]["title"] for line in lines_of(told.export())]
    assert everything == ["one", "two", "three 颜色"]
    assert [line["metadata"]["title"] for line in lines_of(told.export(wanted=Wanted(person="bob")))] == everything[1:]
    assert [line["metadata"]["title"] for line in lines_of(told.export(q="颜色"))] == ["three 颜色"]
    assert [line["metadata"]["title"] for line in lines_of(told.export(q="four"))] == ["one"]
    assert lines_of(told.export(q="four", wanted=Wanted(person="bob"))) == []
    assert lines_of(told.export(scope=ReadScope())) == []
    with told.store.read() as repositories:
        transcript = repositories.review(EVERYTHING).transcript(first.conversation_id)
    assert transcript is not None
    mine = ReadScope(workspaces=frozenset({transcript.workspace.id}))
    assert len(lines_of(told.export(scope=mine))) == 3


def test_what_failed_or_is_open_stays_out_and_is_named(told: Told) -> None:
    told.answered("bad", "", thread="t", error_code="x", error_message="broken")
    told.answered("good", "yes", thread="t")
    told.ask("open", thread="t")
    told.ask("never answered", thread="u")
    export = told.export()
    (line,) = lines_of(export)
    assert texts(line["messages"])[1:] == [("user", "good"), ("assistant", "yes")]
    assert [(left["number"], left["why"]) for left in line["metadata"]["left_out"]] == [(1, "failed"), (3, "ready")]
    assert export.counts.left_out == {"failed": 1, "ready": 2}


def test_a_corrected_answer_takes_the_place_of_the_original_one_or_not(told: Told) -> None:
    accepted = told.answered("What is it?", "A cat.", thread="t")
    failed = told.answered("And this?", "", thread="t", error_code="x")
    reviewed(told, accepted.turn_id, correction="A dog.", verdict="bad", note="look at the ears")
    reviewed(told, failed.turn_id, correction="A bird.")
    (line,) = lines_of(told.export())
    assert texts(line["messages"])[2::2] == [("assistant", "A dog."), ("assistant", "A bird.")]
    turn = line["metadata"]["turns"][0]
    assert (turn["corrected"], turn["original"], turn["correction"]) == (True, "A cat.", "A dog.")
    assert [note["text"] for note in turn["notes"]] == ["look at the ears"]
    assert [(judged["by"], judged["text"]) for judged in turn["judgements"]] == [("rita", "bad")]
    (line,) = lines_of(told.export(answers="original"))
    assert texts(line["messages"])[2:] == [("assistant", "A cat.")]
    assert line["metadata"]["turns"][0]["correction"] == "A dog."


def test_only_what_is_good(told: Told) -> None:
    good = told.answered("1", "a", thread="t")
    bad = told.answered("2", "b", thread="t")
    fine = told.answered("3", "c", thread="t")
    told.answered("4", "d", thread="t")
    told.answered("5", "e", thread="nobody said anything")
    told.rated(good, 1)
    told.rated(bad, -1)
    reviewed(told, fine.turn_id, verdict="good")
    (line,) = lines_of(told.export(good="1"))
    assert [words for _, words in texts(line["messages"])[1:]] == ["1", "a", "3", "c"]
    assert line["metadata"]["left_out"][0]["why"] == "bad"
    reviewed(told, bad.turn_id, correction="B")
    (line,) = lines_of(told.export(good="1"))
    assert [words for _, words in texts(line["messages"])[1:]] == ["1", "a", "2", "B", "3", "c"]


def test_pairs_of_what_was_said_and_what_should_have_been(told: Told) -> None:
    told.answered("What is this?", "A star.", safe(), thread="t")
    wrong = told.answered("And that?", "A cat.", thread="t")
    reviewed(told, wrong.turn_id, correction="A dog.")
    (line,) = lines_of(told.export(kind="pairs"))
    assert texts(line["prompt"]) == [
        ("system", "Answer briefly."), ("user", "#What is this?"), ("assistant", "A star."), ("user", "And that?"),
    ]  # fmt: skip
    assert texts(line["chosen"]) == [("assistant", "A dog.")]
    assert texts(line["rejected"]) == [("assistant", "A cat.")]
    assert len(line["images"]) == 1
    assert line["metadata"]["turn"]["number"] == 2


def test_answers_that_were_called_good_or_bad(told: Told) -> None:
    good, bad = told.answered("1", "a", thread="t"), told.answered("2", "b", thread="t")
    told.answered("3", "c", thread="t")
    told.rated(good, 1)
    told.rated(bad, -1)
    reviewed(told, bad.turn_id, correction="B")
    lines = lines_of(told.export(kind="ratings"))
    assert [(texts(line["completion"])[0][1], line["label"]) for line in lines] == [("a", True), ("b", False)]
    assert [words for _, words in texts(lines[1]["prompt"])[1:]] == ["1", "a", "2"]


def test_every_line_is_as_the_card_says(plain: Told) -> None:
    said = plain.answered("Is it <image>?", "No <video>.", safe(), thread="t", boxes=[_box()], thinking="hm")
    plain.answered("", "A chart.", safe(), thread="t")
    plain.rated(said, -1)
    reviewed(plain, said.turn_id, correction="Yes.", verdict="bad", note="n")
    for kind, shape, pictures in product(Kind, Shape, Pictures):
        export = plain.export(kind=kind, shape=shape, images=pictures)
        (line,) = lines_of(export)
        assert list(matches(line, fields(export.options))) == [], (kind, shape, pictures)
        messages = line.get("messages") or line["prompt"]
        content = messages[1]["content"]
        shown = pictures is not Pictures.NONE
        if shape is Shape.TAGS:
            assert content == ("<image>\n" if shown else "") + "Is it < image>?"
        elif shape is Shape.PARTS:
            assert content == [*([{"type": "image"}] if shown else []), {"type": "text", "text": "Is it <image>?"}]
        elif shown:
            assert content[0].get("path", content[0].get("url", ""))
        if shape is not Shape.INLINE:
            assert sum(_placeholders(message["content"]) for message in messages) == len(line["images"])


def _box() -> Any:
    return {"label": "bar", "left": 0.1, "top": 0.1, "right": 0.5, "bottom": 0.5}


def _placeholders(content: Any) -> int:
    if isinstance(content, str):
        return content.count("<image>")
    return sum(part["type"] == "image" for part in content)


def test_a_picture_that_is_gone_or_damaged_is_told_and_stops_nothing(told: Told) -> None:
    told.answered("gone", "1", safe(colour="red"), thread="a")
    told.answered("damaged", "2", safe(colour="blue"), safe(colour="green"), thread="b")
    told.blobs.delete(safe(colour="red").picture.key)
    damaged = safe(colour="blue").picture.key
    path = told.settings.data_dir / "blobs" / damaged[:2] / damaged[2:4] / damaged
    path.write_bytes(b"something else")
    export = told.export()
    lines, files = split(export)
    assert texts(lines[0]["messages"])[1] == ("user", "gone")
    assert texts(lines[1]["messages"])[1] == ("user", "#damaged")
    assert len(files) == 1
    whys = [picture["why_not"] for line in lines for picture in line["metadata"]["turns"][0]["pictures"]]
    assert whys == ["missing", "damaged", ""]
    manifest = export.manifest(utc_now())
    assert (manifest["pictures"], manifest["missing_pictures"]) == (1, 2)
    assert [missing["why"] for missing in manifest["missing"]] == ["missing", "damaged"]


def test_the_mode_is_the_one_that_answers_there(told: Told) -> None:
    told.answered("One?", "1")
    assert [line["metadata"]["mode"] for line in split(told.export())[0]] == ["plain"]
    decide(told.store, Platform.WEB, "W1", persona="tutor")
    assert [line["metadata"]["mode"] for line in split(told.export())[0]] == ["tutor"]


def test_a_question_without_words_is_asked_as_the_model_was(told: Told) -> None:
    told.answered("", "A chart.", safe())
    (line,) = lines_of(told.export())
    assert texts(line["messages"])[1] == ("user", "#Describe the picture.")
    assert lines_of(told.export(images="none")) == []


def test_names_of_files_lead_nowhere(told: Told) -> None:
    told.answered("x", "y", safe("../../../etc/passwd\x07<script>.png"))
    (line,), files = split(told.export())
    (name,) = files
    assert name.startswith("pictures/")
    assert ".." not in name
    assert line["metadata"]["turns"][0]["pictures"][0]["name"].endswith("passwd\x07<script>.png")


def test_texts_are_redacted_everywhere(told: Told) -> None:
    mail, card = "ann@example.org", "4111 1111 1111 1111"
    said = told.answered(
        f"I am Ann Lee, {mail}", f"Hello Ann, call +47 912 34 567 or Zed. {mail}", safe(f"{mail}.png"),
        thread="t", name="Ann Lee", thinking=f"so {card}", boxes=[_box() | {"label": mail}],
    )  # fmt: skip
    told.rated(said, -1, f"wrong, says Ann Lee {card}")
    reviewed(told, said.turn_id, correction=f"Write to {mail}", note=f"Ann Lee's {mail}")
    export = told.export(redact=("all",), images="files")
    (line,), files = split(export)
    words = str(line)
    for gone in (mail, card, "Ann", "Lee", "912 34", "Zed", "rita"):
        assert gone not in words, gone
    assert texts(line["messages"])[1][1] == "#I am [NAME], [EMAIL]"
    assert line["metadata"]["turns"][0]["original"] == "Hello [NAME], call [PHONE] or [NAME]. [EMAIL]"
    assert line["metadata"]["turns"][0]["person"] == said.person_id
    assert line["metadata"]["workspace"] == line["metadata"]["place"] == ""
    assert len(files) == 1
    assert export.manifest(utc_now())["redacted"]["email"] >= 5
    only_mail = told.export(redact=(Redact.EMAIL,))
    assert only_mail.options.pictures is Pictures.NONE, "a picture may show what the text does not say any more"
    (line,) = lines_of(only_mail)
    assert texts(line["messages"])[1][1] == "I am Ann Lee, [EMAIL]"


def test_what_an_admin_is_to_judge_by_himself_is_not_told_to_him(told: Told) -> None:
    said = told.answered("1", "a")
    rita = reviewed(told, said.turn_id, verdict="good", correction="b")
    with told.store.write() as repositories:
        other = repositories.admins.add("omar", Role.REVIEWER, everywhere=True).id
        _wait_for_two(repositories, said.turn_id)
    for admin_id, answer, hidden in ((other, "a", 1), (rita, "b", 0), ("", "b", 0)):
        export = told.export(admin_id=admin_id)
        (line,) = lines_of(export)
        assert texts(line["messages"])[2][1] == answer
        assert export.manifest(utc_now())["turns_being_judged"] == hidden


def _wait_for_two(repositories: Any, turn_id: str) -> None:
    from core.store.review_tables import QueueItem, ReviewQueue

    now = utc_now()
    queue = ReviewQueue(name="q", folded="q", kind="failed", judges=2, since=now, filled_until=now)
    repositories.session.add(queue)
    repositories.session.flush()
    repositories.session.add(QueueItem(queue_id=queue.id, turn_id=turn_id))


@pytest.mark.parametrize(
    ("words", "parameter"),
    [
        ({"kind": "poems"}, "kind"),
        ({"shape": "x"}, "shape"),
        ({"images": "png"}, "images"),
        ({"format": "tar"}, "format"),
        ({"redact": ("faces",)}, "redact"),
        ({"format": "jsonl", "images": "files"}, "images"),
    ],
)
def test_wrong_words_are_refused_by_name(plain: Told, words: dict[str, Any], parameter: str) -> None:
    with pytest.raises(WrongParameter) as refused:
        plain.export(**words)
    assert refused.value.parameter == parameter
