"""What a conversation is called in lists."""

TITLE_CHARS = 60


def title_of(question: str) -> str:
    """The beginning of a question, in one line of at most `TITLE_CHARS` characters."""
    words = " ".join(question.split())
    return words if len(words) <= TITLE_CHARS else words[: TITLE_CHARS - 1].rstrip() + "…"
