"""The rolling digest: equal for equal histories alone."""

from hypothesis import given
from hypothesis import strategies as st

from core.conversation import digest

_turns = st.lists(
    st.tuples(
        st.text(max_size=20), st.lists(st.text("0123456789abcdef", min_size=4, max_size=4), max_size=3), st.text()
    ),
    max_size=5,
)


def _of(system: str, turns: list[tuple[str, list[str], str]]) -> str:
    so_far = digest.root(system)
    for question, keys, answer in turns:
        so_far = digest.extend(so_far, question, keys, answer)
    return so_far


def _stripped(system: str, turns: list[tuple[str, list[str], str]]) -> object:
    return system.strip(), [(question.strip(), keys, answer.strip()) for question, keys, answer in turns]


@given(st.text(max_size=10), _turns, st.text(max_size=10), _turns)
def test_equal_only_for_equal_histories(
    system: str, turns: list[tuple[str, list[str], str]], other_system: str, others: list[tuple[str, list[str], str]]
) -> None:
    same = _stripped(system, turns) == _stripped(other_system, others)

    assert (_of(system, turns) == _of(other_system, others)) is same


@given(st.text(max_size=10), _turns)
def test_white_space_around_the_texts_does_not_count(system: str, turns: list[tuple[str, list[str], str]]) -> None:
    spaced = [(f" \n{question}\t", keys, f"{answer}  ") for question, keys, answer in turns]

    assert _of(f"\n{system} ", spaced) == _of(system, turns)


def test_words_cannot_move_between_the_fields() -> None:
    root = digest.root("")
    variants = [
        digest.extend(root, "a", ["k"], "b"),
        digest.extend(root, "ab", ["k"], ""),
        digest.extend(root, "", ["k"], "ab"),
        digest.extend(root, 'a", ["k"], "b', [], ""),
        digest.extend(root, "a", [], "b"),
        digest.extend(root, "a", ["k", "k"], "b"),
    ]

    assert len(set(variants)) == len(variants)


def test_it_fits_its_column() -> None:
    assert len(digest.root("x")) == len(digest.extend(digest.root("x"), "q", [], "a")) == 64
