"""Owner approves first: a finished answer goes to the owner of the business account, who sends, edits or discards it.

What is approved becomes a delivery of its own, so that it is brought like any answer: once, over restarts too. A
decision is one guarded update; whoever presses twice, or too late, is told so.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog
from telegram.error import BadRequest, Forbidden

from bots.chat.actions import Action, Button
from bots.chat.defang import without_links
from bots.chat.platform import Address, Part, SendRefused
from bots.chat.split import utf16_units
from bots.chat.texts import Texts, text_id, texts_for
from bots.services import Services
from bots.telegram.decision import Decision
from bots.telegram.format import TEXT_UNITS, clipped
from bots.telegram.outgoing import Outgoing
from bots.telegram.refusals import FAILURES, error_code
from bots.telegram.target import Target
from core.errors import GlimtError
from core.store.database import Repositories
from core.store.telegram_approvals import ApprovalState, TelegramApproval
from core.store.telegram_tables import TelegramBusiness
from core.values import DeliveryState, Platform, TurnState, utc_now

log = structlog.get_logger(__name__)

# The action of the buttons, and its choices.
APPROVE = "approve"
SEND, OWN_WORDS, DISCARD = "send", "edit", "drop"
# How often it is looked whether something has expired.
LOOK_S = 2.0
_AT_ONCE = 50
_QUESTION_UNITS = 300
_SENT, _NOT_SENT = text_id("✅ Sent"), text_id("⚠️ Telegram did not send it")
_DISCARDED, _EXPIRED = text_id("🗑 Discarded"), text_id("⌛ Expired, not sent")


@dataclass(frozen=True, slots=True)
class _Owner:
    target: Target
    texts: Texts


class Approvals:
    """Shows proposals to owners and does what they decide. `run` marks what was decided, or has expired."""

    def __init__(self, services: Services, outgoing: Outgoing) -> None:
        self._services = services
        self._outgoing = outgoing
        self._life = timedelta(hours=services.settings.telegram_approval_h)
        self._on = services.settings.telegram_business == "approve"
        self._wake = asyncio.Event()
        self.look_s = LOOK_S

    def are_wanted(self, address: Address) -> bool:
        """Whether this delivery shows an answer to its owner first."""
        if address.spoken:
            # An admin has taken over.
            return False
        return self._on and bool(address.target.get("business")) and not address.target.get("approved")

    async def propose(self, address: Address, part: Part) -> str:
        """Show the owner a part of an answer, with the buttons below the last one. Returns as `ChatPlatform.send`.

        Raises:
            SendRefused: nobody knows the owner.
            TelegramError: it was not shown.
        """
        target = Target.read(address.target)
        owner = await asyncio.to_thread(self._owner_of, target)
        if owner is None:
            raise SendRefused("the business connection is gone")
        if part.picture:
            return await self._outgoing.photo(
                owner.target, part.picture, part.picture_name, without_links(part.text), ()
            )
        text, buttons = await self._shown(address, part, owner)
        post = await self._outgoing.send(owner.target, text, buttons)
        if part.last:
            await asyncio.to_thread(self._note, address.turn_id, post)
        return post

    async def propose_again(self, address: Address, post: str, part: Part) -> None:
        """Make the owner's message show this part.

        Raises:
            SendRefused: nobody knows the owner.
            TelegramError: it does not.
        """
        owner = await asyncio.to_thread(self._owner_of, Target.read(address.target))
        if owner is None:
            raise SendRefused("the business connection is gone")
        if part.picture:
            return
        text, buttons = await self._shown(address, part, owner)
        await self._outgoing.edit(owner.target, post, text, buttons)
        if part.last:
            await asyncio.to_thread(self._note, address.turn_id, post)

    async def press(self, action: Action, user_id: int) -> tuple[Decision, Texts]:
        """A button of a proposal.

        Raises:
            StoreError: nothing was decided.
        """
        decision, texts = await asyncio.to_thread(self._press, action, user_id)
        self._wake.set()
        return decision, texts

    async def own_words(self, post: str, turn_id: str, user_id: int, text: str) -> tuple[Decision, Texts] | None:
        """Somebody has replied to a message of ours: to a proposal for `turn_id`, if its buttons say so. None: it is
        no proposal to him.

        Raises:
            StoreError: nothing was decided.
        """
        decided = await asyncio.to_thread(self._own_words, post, turn_id, user_id, text)
        self._wake.set()
        return decided

    async def run(self) -> None:
        """Let expire what nobody decided, and show owners what became of each proposal. Never ends by itself."""
        while True:
            self._wake.clear()
            try:
                for row, label in await asyncio.to_thread(self._to_show):
                    await self._show(row, label)
            except GlimtError as error:
                log.warning("telegram_approvals_not_looked_at", error=error.code)
            except Exception:
                # Nobody would start this task again.
                log.exception("telegram_approvals_error")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.look_s):
                    await self._wake.wait()

    async def _shown(self, address: Address, part: Part, owner: _Owner) -> tuple[str, Sequence[Button]]:
        """Text and buttons of the owner's message; the proposal is in SQL before its buttons can be pressed."""
        head, may_send = await asyncio.to_thread(self._prepare, address, owner, part.last)
        text = part.text
        if part.position == 0 and utf16_units(head) + utf16_units(text) + 2 <= TEXT_UNITS:
            text = f"{head}\n\n{text}"
        return text, _buttons(address.turn_id, owner.texts, may_send=may_send) if part.last else ()

    def _prepare(self, address: Address, owner: _Owner, last: bool) -> tuple[str, bool]:
        now = utc_now()
        target = Target.read(address.target)
        with self._services.store.write() as repositories:
            turn = repositories.turns.get(address.turn_id)
            person = repositories.people.known(Platform.TELEGRAM, address.workspace, address.person)
            if last and turn is not None:
                expires = now + self._life
                repositories.approvals.propose(turn.id, target.owner_id, target.business, now, expires)
        name = person.display_name if person is not None and person.display_name else address.person
        question = clipped((turn.question if turn is not None else "").strip(), _QUESTION_UNITS)
        head = owner.texts("**{name}** asked you, and this is my answer. It is sent once you say so.", name=_bare(name))
        if question:
            head += "\n\n" + "\n".join(f"> {_bare(line)}" for line in question.splitlines())
        return head, turn is not None and turn.state in (TurnState.ANSWERED, TurnState.DELIVERED)

    def _note(self, turn_id: str, post: str) -> None:
        with self._services.store.write() as repositories:
            repositories.approvals.note_message(turn_id, post)

    def _owner_of(self, target: Target) -> _Owner | None:
        with self._services.store.read() as repositories:
            connection = repositories.telegram.connection(target.business)
            if connection is None:
                return None
            texts = self._texts(repositories, connection)
        return _Owner(Target(connection.owner_chat_id, 0, connection.owner_id, private=True), texts)

    def _texts(self, repositories: Repositories, connection: TelegramBusiness | None) -> Texts:
        if connection is None:
            return texts_for("")
        person = repositories.people.known(Platform.TELEGRAM, connection.bot_id, str(connection.owner_id))
        return texts_for((person.language if person is not None else "") or connection.owner_locale)

    def _press(self, action: Action, user_id: int) -> tuple[Decision, Texts]:
        turn_id = action.argument
        with self._services.store.write() as repositories:
            row = repositories.approvals.get(turn_id)
            if row is None:
                return Decision.GONE, texts_for("")
            texts = self._texts(repositories, repositories.telegram.connection(row.connection_id))
            if row.owner_id != user_id:
                return Decision.NOT_YOURS, texts
            if row.state != ApprovalState.PROPOSED or row.expires_at <= utc_now():
                return Decision.TOO_LATE, texts
            match action.choice:
                case "send":
                    return self._approve(repositories, row, None), texts
                case "drop":
                    done = repositories.approvals.discard(turn_id, utc_now())
                    return Decision.DISCARDED if done else Decision.TOO_LATE, texts
            return Decision.ASKED, texts

    def _own_words(self, post: str, turn_id: str, user_id: int, text: str) -> tuple[Decision, Texts] | None:
        bot_id = self._services.settings.telegram_bot_id
        with self._services.store.write() as repositories:
            workspace = repositories.people.known_workspace(Platform.TELEGRAM, bot_id)
            if workspace is None:
                return None
            if not turn_id:
                # An earlier part of a long answer, which has no buttons.
                turn = repositories.deliveries.turn_shown_by(Platform.TELEGRAM, workspace.id, post)
                turn_id = turn.id if turn is not None else ""
            row = repositories.approvals.get(turn_id)
            if row is None or row.owner_id != user_id:
                return None
            texts = self._texts(repositories, repositories.telegram.connection(row.connection_id))
            if not text.strip():
                return Decision.ASKED, texts
            return self._approve(repositories, row, text), texts

    def _approve(self, repositories: Repositories, row: TelegramApproval, own_words: str | None) -> Decision:
        connection = repositories.telegram.connection(row.connection_id)
        if connection is None or not (connection.enabled and connection.can_reply):
            return Decision.NOT_ALLOWED
        delivery = repositories.deliveries.of_turn(row.turn_id)
        if delivery is None:
            return Decision.GONE
        target = {**delivery.target, "approved": True, "own_words": own_words is not None}
        done = repositories.approvals.approve(row.turn_id, target, utc_now(), own_words)
        return Decision.SENT if done else Decision.TOO_LATE

    def _to_show(self) -> list[tuple[TelegramApproval, str]]:
        """What was decided and is not shown to its owner yet, and the words for that."""
        now = utc_now()
        with self._services.store.read() as repositories:
            late = repositories.approvals.late(now)
        if late:
            with self._services.store.write() as repositories:
                repositories.approvals.expire(now)
        with self._services.store.read() as repositories:
            found = [(row, _became(repositories, row)) for row in repositories.approvals.to_show(_AT_ONCE)]
            return [
                (row, self._texts(repositories, repositories.telegram.connection(row.connection_id))(became))
                for row, became in found
                if became
            ]

    async def _show(self, row: TelegramApproval, label: str) -> None:
        owner = Target(row.owner_id, 0, row.owner_id, private=True)
        try:
            dead = Button(label, Action(APPROVE, row.turn_id).value)
            await self._outgoing.set_buttons(owner, row.external_id, [dead])
        except FAILURES as error:
            log.info("telegram_decision_not_shown", error=error_code(error))
            if not isinstance(error, (BadRequest, Forbidden)):
                return
        await asyncio.to_thread(self._mark_shown, row.turn_id)

    def _mark_shown(self, turn_id: str) -> None:
        with self._services.store.write() as repositories:
            repositories.approvals.mark_shown(turn_id)


def _became(repositories: Repositories, row: TelegramApproval) -> str:
    """What became of a proposal; empty: it is on its way."""
    if row.state != ApprovalState.APPROVED:
        return _DISCARDED if row.state == ApprovalState.DISCARDED else _EXPIRED
    delivery = repositories.approvals.delivery(row.turn_id)
    if delivery is None or delivery.state == DeliveryState.FAILED:
        return _NOT_SENT
    return _SENT if delivery.state == DeliveryState.SENT else ""


def _buttons(turn_id: str, texts: Texts, *, may_send: bool) -> Sequence[Button]:
    send = (Button(texts("Send"), Action(APPROVE, turn_id, SEND).value),) if may_send else ()
    return (
        *send,
        Button(texts("Edit"), Action(APPROVE, turn_id, OWN_WORDS).value),
        Button(texts("Discard"), Action(APPROVE, turn_id, DISCARD).value, danger=True),
    )


def _bare(text: str) -> str:
    """Somebody's words without what Markdown, or Telegram with its addresses, would make of them."""
    return "".join(f"\\{c}" if c in "\\`*_[]<>#|~!" else c for c in text.replace("://", ":\u2060//"))
