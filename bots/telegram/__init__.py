"""The Telegram adapter: updates in, answers out. Nothing of Telegram's leaves this folder."""

import os

# The SDK's coming way of telling durations; the one that it leaves behind warns each time.
os.environ.setdefault("PTB_TIMEDELTA", "true")
