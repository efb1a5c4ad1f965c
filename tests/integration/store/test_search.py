"""Searching in English and Chinese, and that both databases find the same."""

import pytest
from sqlalchemy import text

from core.store.database import Store
from core.store.migrate import downgrade, upgrade
from core.store.outcome import Outcome
from core.store.review.filters import Wanted
from core.store.review.scope import EVERYTHING
from core.store.review.search import search_turns
from core.store.words import LONGEST, MOST, index_words, sought_words
from core.values import TurnState
from tests.integration.store.scene import Scene

ANYTHING = Wanted()
QUESTIONS = {
    "star": "Which shapes are in the top-left corner of the screenshot?",
    "invoice": "Read the INVOICE number: RE-2024/0815, total 1.234,56 €",
    "colour": "左上角的图片是什么颜色？",
    "mixed": "这张screenshot里的报错信息是什么？ERR_CONNECTION_REFUSED",
    "wide": "ＦＵＬＬ　ｗｉｄｔｈ １２３",
    "umlaut": "Größe der Tür in Zürich? ΑΘΗΝΑ и Москва",
    "japanese": "この写真の猫は何をしていますか",
    "korean": "사진에 있는 고양이",
    "empty": "",
    "signs": "?!… — “”",
}


@pytest.fixture
def asked(scene: Scene) -> dict[str, str]:
    """The questions' turns, in the order of their names."""
    return {name: scene.ask(scene.thread(name), question, at=n) for n, (name, question) in enumerate(QUESTIONS.items())}


def found(store: Store, said: str, wanted: Wanted = ANYTHING, **options: object) -> list[str]:
    """Ids of what a search brings, in its order."""
    with store.read() as repositories:
        hits = repositories.review(EVERYTHING).search(sought_words(said), wanted, **options)  # type: ignore[arg-type]
    return [hit.turn.id for hit in hits.rows]


FOUND: list[tuple[str, list[str]]] = [
    ("shapes", ["star"]),
    ("SHAPE", ["star"]),
    ("hapes", []),
    ("screenshot", ["mixed", "star"]),
    ("top left", ["star"]),
    ("left-top", ["star"]),
    ("screenshot corner", ["star"]),
    ("screenshot invoice", []),
    ("in", ["umlaut", "star"]),
    ("0815", ["invoice"]),
    ("RE-2024/0815", ["invoice"]),
    ("1.234,56", ["invoice"]),
    ("err_connection_refused", ["mixed"]),
    ("颜色", ["colour"]),
    ("图", ["colour"]),
    ("色", ["colour"]),
    ("什么", ["mixed", "colour"]),
    ("图片颜色", []),
    ("图片 颜色", ["colour"]),
    ("报错信息", ["mixed"]),
    ("错报", []),
    ("screenshot报错", ["mixed"]),
    ("full width", ["wide"]),
    ("１２３", ["wide"]),
    ("GRÖSSE", []),
    ("größe", ["umlaut"]),
    ("zürich москва αθηνα", ["umlaut"]),
    ("猫", ["japanese"]),
    ("写真", ["japanese"]),
    ("고양이", ["korean"]),
    ("", []),
    ("?!", []),
    ('" OR *', []),
    ("' & ! | ( shapes", ["star"]),
]


def test_what_is_found(store: Store, asked: dict[str, str]) -> None:
    for said, names in FOUND:
        assert found(store, said) == [asked[name] for name in names], said


def test_a_search_follows_what_becomes_of_a_turn(scene: Scene) -> None:
    turn_id = scene.ask(scene.thread(), "What is this?")
    scene.finish(turn_id, scene.run(turn_id), Outcome(TurnState.ANSWERED, answer="一颗红色的星星 (a red star)"))
    assert found(scene.store, "红色 this") == [turn_id]
    with scene.store.write() as repositories:
        repositories.session.execute(text("UPDATE turns SET answer = 'A blue moon'"))
    assert found(scene.store, "star") == []
    assert found(scene.store, "moon") == [turn_id]
    with scene.store.write() as repositories:
        repositories.session.execute(text("DELETE FROM conversations"))
    assert found(scene.store, "moon") == []
    with scene.store.read() as repositories:
        assert repositories.session.scalar(text("SELECT count(*) FROM turn_words")) == 0


def test_pages_of_a_search_neither_repeat_nor_miss_anything(scene: Scene) -> None:
    asked = [scene.ask(scene.thread(f"t{n}"), f"shape {n}", at=n) for n in range(7)]
    # By looking at turns one by one, and by the index.
    for latest in (1, 100):
        seen: list[str] = []
        before: str | None = None
        while True:
            with scene.store.read() as repositories:
                words, session = sought_words("shape"), repositories.session
                hits = search_turns(session, EVERYTHING, words, ANYTHING, limit=3, before=before, latest=latest)
            seen += [hit.turn.id for hit in hits.rows]
            if (before := hits.next) is None:
                break
        assert seen == asked[::-1], latest


def test_what_no_index_could_hold_is_stored_all_the_same(scene: Scene) -> None:
    long = "x" * 5000
    question = (
        f"{long} " + " ".join(f"w{n}" for n in range(MOST + 500)) + " " + "".join(map(chr, range(0x4E00, 0x9000)))
    )
    turn_id = scene.ask(scene.thread(), question)
    assert scene.turn(turn_id).question == question
    assert found(scene.store, "x" * LONGEST) == [turn_id]


def test_what_was_asked_before_the_upgrade_is_found(empty_sql_url: str) -> None:
    upgrade(empty_sql_url)
    scene = Scene(Store(empty_sql_url))
    turn_id = scene.ask(scene.thread(), "左上角 shapes")
    scene.store.close()
    downgrade(empty_sql_url, "0007")
    upgrade(empty_sql_url)
    store = Store(empty_sql_url)
    assert found(store, "上角 shape") == [turn_id]
    store.close()


def test_both_databases_cut_text_into_the_same_words(postgresql_url: str) -> None:
    store = Store(postgresql_url)
    statement = text("SELECT tsvector_to_array(glimt_words(:said))")
    for said in (*QUESTIONS.values(), "ǅ ﬁ ㍿ ① ½ 𠀀𠀁 ไทย ລາວ ខ្មែរ 中A文1", "a\tb\r\nc\u3000d\u200be"):
        with store.read() as repositories:
            in_sql = repositories.session.scalar(statement, {"said": said})
        assert sorted(in_sql or ()) == sorted(index_words(said).split()), said
    store.close()
