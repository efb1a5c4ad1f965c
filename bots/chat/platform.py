"""What an adapter must be able to do so that `Deliverer` can bring answers to its platform."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bots.chat.actions import Button
from bots.chat.follow import Cadence
from bots.chat.texts import Texts
from core.errors import GlimtError
from core.values import Platform


class SendFailed(GlimtError):
    """The platform did not take what was sent. `retry_after_s`: how long it wants to be left alone, if it said so."""

    code = "send_failed"
    retryable = True

    def __init__(self, detail: str = "", *, retry_after_s: float = 0.0) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class SendRefused(SendFailed):
    """It never will: the channel is gone, the bot was removed or blocked."""

    code = "send_refused"
    retryable = False


class PostGone(SendFailed):
    """The message cannot be changed any more: somebody deleted it, or it is too old. A new one may be sent."""

    code = "post_gone"


class LeftOut(SendFailed):
    """Nothing was sent of what is only for the eye, for want of room: it may be shown a moment later."""

    code = "left_out"


@dataclass(frozen=True, slots=True)
class Address:
    """Where an answer goes, and for whom. `target` is what the adapter gave as `InboundQuestion.reply_to`.

    `workspace` and `person` are the platform's own names. `resumed`: an earlier process has worked on this answer.
    `by_human`: the words are an admin's, to be shown as he wrote them. `spoken` is the delivery that brings them, or a
    notice; empty for an answer of the model's.
    """

    turn_id: str
    workspace: str
    person: str
    target: Mapping[str, Any]
    texts: Texts
    resumed: bool = False
    by_human: bool = False
    spoken: str = ""

    @property
    def mark(self) -> str:
        """What our messages carry where they can, so that they are found again."""
        return self.spoken or self.turn_id


@dataclass(frozen=True, slots=True)
class Part:
    """One message of an answer, whole: Markdown within the platform's limits.

    `position` counts from 0, `last` closes the answer and carries the buttons. A part with a `picture` (PNG or JPEG
    bytes) shows it under `text` as its caption.
    """

    position: int
    text: str
    last: bool = False
    buttons: tuple[Button, ...] = ()
    picture: bytes = b""
    picture_name: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """What stands there while there is no text: the place in the queue, that the picture is being looked at …"""

    text: str


class Live(Protocol):
    """An answer while it is being written: a stream, a draft, a placeholder that is edited.

    Everything here is for the eye. What fails is passed over or, with `SendFailed`, tried again later; the answer does
    not depend on it. Calls come one after the other.
    """

    async def status(self, status: Status) -> str | None:
        """Show that nothing is there yet. Returns as `write`.

        Raises:
            LeftOut: and nothing stands there; call it again.
        """

    async def write(self, text: str, thinking: str, stop: Button) -> str | None:
        """Show all of `text` so far (Markdown, perhaps longer than one message takes); it may have begun anew.

        `thinking` is empty unless it is to be shown. Returns the platform's id of the message in which it stands, once
        there is one that stays; None where nothing stays (a draft, a status line).
        """

    async def finish(self, part: Part) -> str:
        """The whole first part; ends the stream or draft. Returns the id of the message that shows it, as `send`.

        Raises:
            PostGone: the message is there no more, or cannot be finished as a stream; it is edited or sent then.
            SendFailed: see there.
        """

    async def leave(self) -> None:
        """Nothing more is shown: the answer is there, or another process goes on. Nothing is to be said. Raises
        nothing."""


class ChatPlatform(Protocol):
    """A platform that answers are sent to. Methods may be called for many answers at once.

    A message's id is any string of at most 255 characters that `edit` understands; it is unique in its workspace.
    Every method that sends raises SendFailed (again later), SendRefused (never) or, where it says so, PostGone. Rate
    limits are the adapter's to keep; where it cannot wait itself, `SendFailed.retry_after_s` says how long.
    """

    platform: Platform
    cadence: Cadence
    # Whether thinking is shown while it is written.
    show_thinking: bool
    # How long the text below a picture may be, in UTF-16 units.
    caption_units: int

    def split(self, address: Address, text: str) -> Sequence[str]:
        """A whole answer (Markdown; a human's words as they are) in parts that one message each can hold; at least
        one."""

    def in_our_name(self, address: Address) -> bool:
        """Whether it is known there that a machine answers. Else an answer is all that is said: no failure, no Stop."""

    def live(self, address: Address, post: str | None) -> Live:
        """A view on the answer while it is written; `post` is the message that an earlier process began. Sends
        nothing yet."""

    async def send(self, address: Address, part: Part) -> str:
        """Send a new message; its id."""

    async def edit(self, address: Address, post: str, part: Part) -> None:
        """Make the message show all of `part`, whatever it shows now. Also what it shows already is no error.

        Raises:
            PostGone: see there.
        """

    async def find(self, address: Address, position: int) -> str | None:
        """The id of a message that may have got out before a process died, by what it carries; None: there is none,
        or the platform cannot tell. It is sent (again) then."""
