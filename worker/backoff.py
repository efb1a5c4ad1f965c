"""How long a failed turn waits before its next attempt."""

import random

LONGEST_S = 60.0


def back_off(failures: int, base_s: float) -> float:
    """Seconds: `base_s` doubled for each earlier failure, at most a minute, with a quarter of jitter.

    The jitter keeps turns that failed together from coming back together.
    """
    return float(min(base_s * 2**failures, LONGEST_S) * random.uniform(0.75, 1.25))
