"""What the client of a stream was told: it can be added to, never taken back."""


class Spoken:
    """Text sent so far. A second attempt is followed in silence until it says something new."""

    def __init__(self) -> None:
        self.text = ""
        # What the present attempt has said; None while that is just `text`.
        self._again: str | None = None

    def restart(self) -> None:
        """A new attempt begins from nothing."""
        self._again = ""

    def add(self, text: str) -> str | None:
        """More from the present attempt: what to send of it now, maybe nothing; None if it contradicts `text`."""
        if self._again is None:
            self.text += text
            return text
        self._again += text
        return self._reach(self._again)

    def complete(self, whole: str) -> str | None:
        """The whole text, as it was stored at the end: what is missing of it; None if it contradicts `text`.

        White space around the text does not count, and text that was sent but not stored does no harm.
        """
        if whole.startswith(self.text):
            return self._reach(whole)
        if self.text.strip().startswith(whole.strip()):
            return ""
        core = self.text.strip()
        return self._reach(self.text + whole.strip()[len(core) :]) if whole.strip().startswith(core) else None

    def _reach(self, said: str) -> str | None:
        if said.startswith(self.text):
            new = said[len(self.text) :]
            self.text, self._again = said, None
            return new
        return "" if self.text.startswith(said) else None
