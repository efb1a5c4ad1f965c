"""The short ways to a list and to hits bring exactly what looking at everything brings, on both databases."""

from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

from sqlalchemy import select, text

from core.store.admin_tables import Admin
from core.store.attachments import StoredFile
from core.store.database import Repositories, Store
from core.store.migrate import downgrade, upgrade
from core.store.models import IS_SLOW, RARE_FACTS, Conversation, Turn
from core.store.outcome import Outcome
from core.store.review.facts import PACES, RARE, SLOW, slowness_of
from core.store.review.filters import NOBODY, Wanted
from core.store.review.inbox import list_inbox
from core.store.review.scope import EVERYTHING, ReadScope
from core.store.review.search import search_turns
from core.store.review_tables import Label, TurnFlag, TurnLabel
from core.store.words import index_words, sought_words
from core.values import Platform, TurnState
from tests.integration.store.scene import after

CONVERSATIONS = 90
MODELS = ("glm", "qwen", "old")
WORDS = ("the", "these", "then", "shape", "红色的星星", "invoice 42", "zürich")
TRIES = 40
REVIEWER, LABEL = "1" * 32, "2" * 32
Thing = dict[str, Any]


def make(store: Store, random: Random) -> tuple[list[str], list[str]]:
    """Conversations of all kinds in three workspaces; ids of workspaces and places."""
    workspaces, places = [], []
    with store.write() as repositories:
        repositories.session.add(Admin(id=REVIEWER, name="Rea", role="reviewer"))
        repositories.session.flush()
        repositories.session.add(Label(id=LABEL, name="blurred", folded="blurred"))
    for number in range(CONVERSATIONS):
        # A transaction each, as it is in life; the clock stands still now and then.
        with store.write() as repositories:
            platform = random.choice((Platform.SLACK, Platform.SLACK, Platform.TELEGRAM, Platform.WEB))
            workspace = repositories.people.workspace(platform, random.choice(("a", "b")))
            place = repositories.places.get_or_create(workspace.id, f"C{random.randrange(4)}")
            if random.random() < 0.1:
                repositories.places.set_persona(place.id, "support")
            workspaces.append(workspace.id)
            places.append(place.id)
            who = [
                repositories.people.person(workspace.id, f"u{n}", f"{random.choice(('Ann', 'Bo', '王芳'))} {n}").id
                for n in random.sample(range(6), 2)
            ]
            conversation = repositories.conversations.get_or_create(
                workspace.id, f"t{number}", who[0], place_id=random.choice((place.id, None))
            )
            for turn in range(random.choice((1, 1, 2, 5))):
                _turn(repositories, random, conversation.id, random.choice(who), after(number * 60 + turn * 10))
            row = repositories.session.get_one(Conversation, conversation.id)
            row.review_state = random.choice(("new", "new", "in_review", "done"))
            row.assigned_to = random.choice((None, None, REVIEWER))
            row.handed_over_at = random.choice((None, None, after(number * 60)))
            row.taken_by = REVIEWER if row.handed_over_at is not None and random.random() < 0.5 else ""
    return sorted(set(workspaces)), sorted(set(places))


def _turn(repositories: Repositories, random: Random, conversation_id: str, person: str, at: Any) -> None:
    turns = repositories.turns
    question = " ".join(random.choices(WORDS, k=2))
    turn_id = turns.add(conversation_id, person, question, state=TurnState.READY, now=at).id
    if random.random() < 0.15:
        repositories.session.add(TurnFlag(turn_id=turn_id, admin_id=REVIEWER))
    if random.random() < 0.15:
        repositories.session.add(TurnLabel(turn_id=turn_id, label_id=LABEL, admin_id=REVIEWER))
    if random.random() < 0.5:
        file = StoredFile(turn_id, 0, "a.png", "0" * 64, "image/png", 3, 2, 9)
        repositories.attachments.add_stored([file])
    end = at + timedelta(seconds=random.choice((0.5, 1.0, 4.0, 30.0, 31.5, 200.0)))
    fate = random.random()
    if fate < 0.1:
        turns.request_cancel(turn_id, end)
    elif fate < 0.97 and turns.claim(turn_id, "w", at, end) is not None:
        model = random.choice(MODELS[:2]) if fate < 0.9 else MODELS[2]
        failed = random.random() < 0.15
        how = Outcome(TurnState.FAILED if failed else TurnState.ANSWERED, answer=random.choice(WORDS), model=model)
        turns.finish(turn_id, "w", 1, how, end)
        if failed and random.random() < 0.4:
            # What was noted stays: the turn is none of those any more.
            assert turns.reopen(turn_id, end)
        elif random.random() < 0.4:
            repositories.feedback.set(turn_id, person, random.choice((1, -1)), now=end)
            if random.random() < 0.3:
                repositories.feedback.set(turn_id, person, random.choice((1, -1)), now=end)


def any_wanted(random: Random, workspaces: list[str], places: list[str]) -> Wanted:
    """Up to three filters."""
    choices: dict[str, list[object]] = {
        "platform": ["slack", "telegram", "api"],
        "workspace": [*workspaces, "0" * 32],
        "place": [*places, "0" * 32],
        "person": ["u1", "Ann", "nN 3", "王", "王芳", "芳 2", "n", "nobody"],
        "mode": ["support", "plain", "tutor"],
        "model": [*MODELS, "none"],
        "state": ["open", "answered", "failed", "cancelled", "handed_over"],
        "feedback": ["good", "bad"],
        "pictures": [True],
        "slow_s": [0.5, 2.0, 30.0, 31.0, 100.0, 1000.0, 1e6],
        "flagged": [True],
        "label": [LABEL, "0" * 32],
        "review": ["new", "in_review", "done"],
        "human": ["waiting", "taken"],
        "assigned": [NOBODY, REVIEWER, "0" * 32],
        "asked_since": [after(0), after(3000)],
        "asked_before": [after(2000), after(9e9)],
        "since": [after(0), after(2000), after(9e9)],
        "before": [after(0), after(3000), after(9e9)],
    }
    names = random.sample(sorted(choices), random.choice((0, 1, 1, 2, 3)))
    return replace(Wanted(), **{name: random.choice(choices[name]) for name in names})  # type: ignore[arg-type]


def any_scope(random: Random, workspaces: list[str], places: list[str]) -> ReadScope:
    """Everything, nothing, or some workspaces and places, one of which may be inside the other."""
    if random.random() < 0.5:
        return EVERYTHING
    some = frozenset(random.sample(workspaces, random.randrange(3)))
    return ReadScope(workspaces=some, places=frozenset(random.sample(places, random.randrange(4))))


def test_lists_and_hits_are_those_of_a_plain_query(store: Store) -> None:
    random = Random(7)
    workspaces, places = make(store, random)
    # Ids of one millisecond have no order, but rows of words have.
    latest_first: Any = Turn.id.desc()
    if store.one_writer:
        latest_first = text("(SELECT id FROM turn_words_at WHERE turn_id = turns.id) DESC")
    for _ in range(TRIES):
        wanted, scope = any_wanted(random, workspaces, places), any_scope(random, workspaces, places)
        limit = random.choice((1, 3, 20))
        with store.read() as repositories:
            session = repositories.session
            wanted = wanted.decided(session)
            plain = select(Conversation.id).where(scope.allows(), wanted.conversations())
            order = Conversation.updated_at.desc(), Conversation.id.desc()
            listed, before = [], None
            while True:
                page = list_inbox(session, scope, wanted, limit=limit, before=before)
                listed += [row.conversation.id for row in page.rows]
                if (before := page.next) is None:
                    break
            assert listed == list(session.scalars(plain.order_by(*order))), (wanted, scope, limit)

            said = random.choice((*WORDS, "the shape", "t", "红", "星星 the", "nothing"))
            words = [word if not may_go_on else f"{word}…" for word, may_go_on in sought_words(said)]
            known = select(Turn).join(Conversation, Conversation.id == Turn.conversation_id)
            turns = session.scalars(known.where(scope.allows(), wanted.turns()).order_by(latest_first)).all()
            hits: list[str] = []
            behind: str | None = None
            patience, latest = random.choice((0, 2, 1000)), random.choice((2, 30, 1000))
            while True:
                found = search_turns(
                    session,
                    scope,
                    sought_words(said),
                    wanted,
                    limit=limit,
                    before=behind,
                    patience=patience,
                    latest=latest,
                )
                hits += [hit.turn.id for hit in found.rows]
                if (behind := found.next) is None:
                    break
            assert hits == [turn.id for turn in turns if _has(turn, words)], (wanted, scope, said, patience, latest)


def _has(turn: Turn, words: list[str]) -> bool:
    has = index_words(f"{turn.question}\n{turn.answer}").split()
    return all(any(one.startswith(word[:-1]) for one in has) if word.endswith("…") else word in has for word in words)


def test_what_is_noted_of_conversations_is_what_an_upgrade_finds(empty_sql_url: str) -> None:
    """The triggers and the migration agree, but for turns that are not of a kind any more."""
    upgrade(empty_sql_url)
    store = Store(empty_sql_url)
    make(store, Random(8))
    noted = _notes(store)
    store.close()
    downgrade(empty_sql_url, "0011")
    upgrade(empty_sql_url)
    store = Store(empty_sql_url)
    found = _notes(store)
    store.close()
    assert noted.keys() == found.keys()
    assert {fact for facts, _, _ in found.values() for fact in (1, 2, 8, 16, 32) if facts & fact} == {1, 2, 8, 16, 32}
    for one, (facts, models, slowness) in found.items():
        more_facts, more_models, more_slowness = noted[one]
        assert facts & more_facts == facts
        assert models <= more_models
        assert slowness <= more_slowness
    assert sum(found[one] == noted[one] for one in found) > len(found) / 2


def test_many_models_of_a_conversation_become_any(store: Store) -> None:
    with store.write() as repositories:
        workspace = repositories.people.workspace(Platform.WEB, "w")
        person = repositories.people.person(workspace.id, "ann")
        conversation = repositories.conversations.get_or_create(workspace.id, "t", person.id)
        for n in range(12):
            turn = repositories.turns.add(conversation.id, person.id, "?", now=after(n))
            assert repositories.turns.claim(turn.id, "w", after(n), after(n + 1)) is not None
            answer = Outcome(TurnState.ANSWERED, answer="!", model=f"{n}" + "m" * 90)
            repositories.turns.finish(turn.id, "w", 1, answer, after(n + 1))
    with store.read() as repositories:
        assert repositories.session.scalar(select(Conversation.models)) == "*"
        for model, count in (("11" + "m" * 90, 1), ("none", 0)):
            rows = repositories.review(EVERYTHING).inbox(Wanted(model=model)).rows
            assert len(rows) == count


def test_slowness_is_a_number_of_steps() -> None:
    assert [slowness_of(seconds) for seconds in (0, 0.99, 1, 29.9, 30, 86400, 1e9)] == [0, 0, 1, 8, 9, 19, 19]
    assert len(PACES) == 19
    # The conditions of the partial indexes are said in SQL.
    assert (f"facts & {RARE} > 0", f"slowness >= {SLOW}") == (RARE_FACTS, IS_SLOW)


def _notes(store: Store) -> dict[str, tuple[int, set[str], int]]:
    columns = Conversation.id, Conversation.facts, Conversation.models, Conversation.slowness
    with store.read() as repositories:
        rows = repositories.session.execute(select(*columns))
        return {one: (facts, set(filter(None, models.split("\n"))), slowness) for one, facts, models, slowness in rows}
