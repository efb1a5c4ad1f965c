"""Who is computed next: nobody starves, nothing idles, two people who wait are served the same."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.inference.fairness import ANSWER_WEIGHT, PATIENCE, FairQueue, share_chunk, share_whole

ROWS = 4
LONGEST = 30


@dataclass(eq=False)
class Asked:
    """A question that takes `prompt` tokens when it is admitted and one of its answer in each of `answer` steps."""

    person: str
    prompt: int
    answer: int
    said: int = 0

    @property
    def need(self) -> int:
        return self.prompt + self.answer


@dataclass
class Machine:
    """Computes what a queue gives it, with `rows` at once and `room` tokens in all, and notes what was admitted."""

    rows: int = ROWS
    room: int = 10**9
    queue: FairQueue[Asked] = field(default_factory=FairQueue)
    running: list[Asked] = field(default_factory=list)
    admitted: list[Asked] = field(default_factory=list)
    served: dict[str, int] = field(default_factory=dict)

    def ask(self, *asked: Asked) -> None:
        for one in asked:
            self.queue.add(one, one.person)

    def fits(self, one: Asked) -> bool:
        return sum(other.need for other in self.running) + one.need <= self.room

    def serve(self, person: str, tokens: int) -> None:
        self.served[person] = self.served.get(person, 0) + tokens
        self.queue.charge(person, tokens)

    def step(self) -> None:
        while len(self.running) < self.rows and (one := self.queue.take(self.fits)) is not None:
            self.running.append(one)
            self.admitted.append(one)
            self.serve(one.person, one.prompt)
        for one in list(self.running):
            one.said += 1
            self.serve(one.person, ANSWER_WEIGHT)
            if one.said == one.answer:
                self.running.remove(one)


def questions(people: str = "abc", longest: int = LONGEST) -> st.SearchStrategy[Asked]:
    return st.builds(Asked, st.sampled_from(people), st.integers(1, longest), st.integers(1, longest))


@given(st.lists(st.lists(questions(), max_size=5), max_size=20))
def test_nothing_idles_and_everything_is_served(arrivals: list[list[Asked]]) -> None:
    machine = Machine()
    while arrivals or machine.queue or machine.running:
        machine.ask(*(arrivals.pop(0) if arrivals else []))
        waiting = len(machine.queue)
        before = len(machine.running)
        started = len(machine.admitted)
        machine.step()
        assert len(machine.admitted) - started == min(ROWS - before, waiting)


@given(st.lists(questions("ab"), min_size=2, max_size=40), st.integers(0, 5000))
def test_two_who_wait_are_served_the_same(asked: list[Asked], before: int) -> None:
    machine = Machine()
    # What somebody was served while nobody else waited is nobody's loss.
    machine.ask(Asked("a", 1, 1))
    machine.step()
    machine.queue.charge("a", before)
    machine.ask(*asked)
    waiting = {name: sum(one.person == name for one in asked) for name in "ab"}
    machine.served = dict.fromkeys("ab", 0)
    # The most that one admission can be ahead: what runs already, and all that it will still say.
    bound = ROWS * (LONGEST + ANSWER_WEIGHT * LONGEST)
    while all(waiting[name] > sum(one.person == name for one in machine.admitted[1:]) for name in "ab"):
        machine.step()
        assert abs(machine.served["a"] - machine.served["b"]) <= 2 * bound


@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(1, 4))
def test_ones_who_are_new_overtake_nobody_for_ever(had: int, at_once: int, answer: int) -> None:
    machine = Machine(rows=1)
    machine.queue.charge("old", had)
    waits = Asked("old", 1, 1)
    machine.ask(Asked("first", 1, 1), waits)
    people = 0
    while waits not in machine.admitted and people < 100:
        machine.ask(*(Asked(f"new {people + number}", 1, answer) for number in range(at_once)))
        people += at_once
        machine.step()
    # The first, and those who came while it was the first.
    assert machine.admitted.index(waits) <= 1 + at_once


def test_one_question_does_not_wait_for_another_persons_many() -> None:
    machine = Machine(rows=2)
    machine.ask(*(Asked("many", 5, 10) for _ in range(32)))
    machine.step()
    one = Asked("one", 5, 10)
    machine.ask(one)
    while one not in machine.admitted:
        machine.step()
    assert len(machine.admitted) <= 4


def test_questions_of_one_person_come_in_their_order() -> None:
    machine = Machine(rows=1)
    asked = [Asked("a", 30 - number, 1) for number in range(10)]
    machine.ask(*asked)
    while machine.queue:
        machine.step()
    assert machine.admitted == asked


def test_nobody_saves_up_the_time_in_which_he_asked_nothing() -> None:
    machine = Machine(rows=1)
    machine.ask(Asked("a", 1, 1), Asked("b", 1, 1))
    for _ in range(2):
        machine.step()
    machine.ask(*(Asked("a", 30, 1) for _ in range(20)))
    for _ in range(10):
        machine.step()
    machine.ask(*(Asked("b", 30, 1) for _ in range(10)))
    started = len(machine.admitted)
    for _ in range(8):
        machine.step()
    since = [one.person for one in machine.admitted[started:]]
    assert since.count("a") == since.count("b") == 4


@given(st.lists(questions("ab", 10), min_size=40, max_size=60), st.sampled_from("ab"), st.integers(1, 60))
def test_what_does_not_fit_is_overtaken_only_so_often(small: list[Asked], person: str, size: int) -> None:
    machine = Machine(room=60)
    large = Asked(person, size, 60 - size or 1)
    machine.ask(*small[:10])
    machine.step()
    machine.ask(large)
    rest = small[10:]
    while machine.queue or machine.running:
        machine.ask(*(rest.pop() for _ in range(min(3, len(rest)))))
        machine.step()
        assert sum(one.need for one in machine.running) <= 60
    at = machine.admitted.index(large)
    assert len(machine.admitted) == len(small) + 1
    # Who came before it, who has a better right to be next, and so many others.
    asked_less = [one for one in machine.admitted[:at] if one in small[10:] and one.person == person]
    assert len(asked_less) <= PATIENCE


def test_what_fits_goes_past_what_does_not() -> None:
    machine = Machine(room=20)
    first, large, small = Asked("a", 5, 5), Asked("b", 10, 10), Asked("c", 5, 5)
    machine.ask(first)
    machine.step()
    machine.ask(large, small)
    machine.step()
    assert machine.admitted == [first, small]
    while machine.queue:
        machine.step()
    assert machine.admitted == [first, small, large]


def test_patience_ends() -> None:
    queue: FairQueue[str] = FairQueue(patience=2)
    for name in ("large", "one", "two", "three"):
        queue.add(name, "somebody")

    def is_small(name: str) -> bool:
        return name != "large"

    assert [queue.take(is_small) for _ in range(3)] == ["one", "two", None]
    assert [queue.take(lambda _: True) for _ in range(3)] == ["large", "three", None]


def test_what_is_given_up_is_forgotten() -> None:
    queue: FairQueue[str] = FairQueue()
    queue.add("one", "a")
    queue.add("two", "a")
    assert (len(queue), "one" in queue) == (2, True)
    assert queue.remove("one")
    assert not queue.remove("one")
    assert (len(queue), "one" in queue) == (1, False)
    assert queue.take(lambda _: True) == "two"
    assert not queue


def test_people_who_have_left_are_forgotten() -> None:
    queue: FairQueue[int] = FairQueue()
    for number in range(1000):
        queue.add(number, f"person {number}")
        assert queue.take(lambda _: True) == number
        queue.charge(f"person {number}", 10)
    assert len(queue._served) < 5


@given(st.lists(st.integers(0, 100), max_size=8), st.integers(1, 64))
def test_a_chunk_is_used_up_and_nobody_gets_more_than_is_left(lefts: list[int], tokens: int) -> None:
    shares = share_chunk(lefts, tokens)
    assert sum(share for _, share in shares) == min(sum(lefts), tokens)
    assert all(0 < share <= lefts[index] for index, share in shares)
    assert len({index for index, _ in shares}) == len(shares)
    if lefts:
        assert dict(shares).get(0, 0) >= min(lefts[0], tokens / 4)


@pytest.mark.parametrize(
    ("lefts", "shares"),
    [
        ([], []),
        ([10], [(0, 10)]),
        ([200, 10], [(0, 30), (1, 10)]),
        ([200, 10, 40], [(0, 10), (1, 10), (2, 20)]),
        ([8, 8, 8], [(0, 8), (1, 8), (2, 8)]),
    ],
)
def test_the_shortest_rest_is_read_first_and_the_oldest_goes_on(
    lefts: list[int], shares: list[tuple[int, int]]
) -> None:
    assert share_chunk(lefts, 40) == shares


@pytest.mark.parametrize(
    ("lefts", "shares"),
    [
        ([], []),
        ([200], [(0, 200)]),
        ([30, 10, 5], [(0, 30), (1, 10)]),
        ([30, 20, 5], [(0, 30)]),
    ],
)
def test_what_cannot_be_read_in_parts_is_read_whole_and_in_order(
    lefts: list[int], shares: list[tuple[int, int]]
) -> None:
    assert share_whole(lefts, 40) == shares
