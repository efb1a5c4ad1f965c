"""The small words of the domain: states, platforms, identifiers, time. GLOSSARY.md says what each means."""

import os
import time
from datetime import UTC, datetime
from enum import StrEnum


class Platform(StrEnum):
    """Where a conversation takes place."""

    WEB = "web"
    API = "api"
    SLACK = "slack"
    TELEGRAM = "telegram"


# Nobody is told here: the client comes and reads.
PULL_PLATFORMS = (Platform.WEB, Platform.API)


class TurnState(StrEnum):
    """Life of a turn; see `core.store.turns` for who may change what."""

    GATHERING = "gathering"
    READY = "ready"
    RUNNING = "running"
    ANSWERED = "answered"
    DELIVERED = "delivered"
    FAILED = "failed"
    CANCELLED = "cancelled"
    HANDED_OVER = "handed_over"


# A turn in one of these holds back the later turns of its conversation.
ACTIVE_STATES = (TurnState.GATHERING, TurnState.READY, TurnState.RUNNING)
# Nothing more will be computed for a turn in one of these.
FINAL_STATES = (
    TurnState.ANSWERED,
    TurnState.DELIVERED,
    TurnState.FAILED,
    TurnState.CANCELLED,
    TurnState.HANDED_OVER,
)


class AttachmentState(StrEnum):
    """`pending` until its bytes were fetched, then `stored` in the blob store or `refused` with a reason."""

    PENDING = "pending"
    STORED = "stored"
    REFUSED = "refused"


class DeliveryState(StrEnum):
    """State of one outbox row. `parked`: it says where an answer would go, should there be one after all."""

    PARKED = "parked"
    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"


class Notice(StrEnum):
    """What is said in a chat about who answers there."""

    # An admin answers, the model is silent.
    TAKEN = "taken"
    # The model answers again; `ask_again`: and questions were left aside.
    BACK = "back"
    ASK_AGAIN = "ask_again"
    # The same, because the admin has done nothing for some time.
    IDLE = "idle"


class Quantisation(StrEnum):
    """How the weights of a model's language part are kept: as they are, or in numbers of 8 or 4 bits."""

    NONE = "none"
    INT8 = "int8"
    NF4 = "nf4"


class FinishReason(StrEnum):
    """Why the model stopped: at its own end, at the token limit, or because somebody pressed Stop."""

    STOP = "stop"
    LENGTH = "length"
    CANCELLED = "cancelled"


def new_id() -> str:
    """A 32-digit hexadecimal identifier: 48 bits of Unix milliseconds, then 80 random bits.

    Time-ordered, so that primary keys grow at one end of the index.
    """
    return f"{time.time_ns() // 1_000_000:012x}{os.urandom(10).hex()}"


def utc_now() -> datetime:
    """Now, aware, in UTC."""
    return datetime.now(UTC)
