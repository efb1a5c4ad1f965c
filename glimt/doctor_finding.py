"""What `glimt doctor` says about one thing."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was looked at, whether it is good, and what it says or how to mend it. With `worry` it works, but
    worse than it could."""

    what: str
    good: bool
    says: str
    worry: bool = False
