"""Commands, buttons, reactions and Telegram's own Stop: what people do besides asking."""

import asyncio
from collections.abc import Sequence

import structlog
from telegram import (
    CallbackQuery,
    MaybeInaccessibleMessage,
    Message,
    MessageReactionUpdated,
    ReactionType,
    ReactionTypeEmoji,
    Update,
    User,
)

from bots.chat import actions, feedback
from bots.chat.actions import Action, Button, read_action
from bots.chat.closing import thumbs
from bots.chat.commands import COMMANDS, START, Command
from bots.chat.platform import SendFailed
from bots.chat.reply import Caller, Reply
from bots.chat.texts import texts_for
from bots.chat.whereabouts import find_caller
from bots.telegram.approval import APPROVE
from bots.telegram.decision import Decision, told
from bots.telegram.desk import Desk
from bots.telegram.live import draft_id
from bots.telegram.presses import STOPPED
from bots.telegram.refusals import FAILURES, error_code
from bots.telegram.target import Target, post_id
from core.errors import RequestError
from core.store.models import Turn
from core.store.places import conversation_name
from core.values import Platform

log = structlog.get_logger(__name__)

# What is said in the small notice of a press; Telegram's limit.
_NOTICE_CHARS = 200
# Presses whose whole answer is such a notice.
_NOTICED = (actions.STOP, actions.AGAIN, actions.THUMBS_UP, actions.THUMBS_DOWN, actions.WHY)
_VERDICTS = {"👍": 1, "👎": -1}


class Pressing:
    """Does what people press and command, and answers every press."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def command(self, target: Target, caller: Caller, command: Command) -> None:
        """See `bots.telegram.presses`."""
        if command.name not in COMMANDS and command.name != START and not target.private:
            # Perhaps another bot's, which is not named.
            return
        reply = await self._desk.commands.run(caller, command)
        self._desk.background.start(self._desk.say(target, reply))

    async def own_words(self, message: Message, user: User, text: str) -> bool:
        """An owner has replied to an answer that he is to approve; False: that is not what it is.

        Raises:
            StoreError: nothing was decided; the update comes again.
        """
        replied = message.reply_to_message
        if replied is None or not text.strip():
            return False
        approvals = self._desk.platform.approvals
        post = post_id(message.chat.id, replied.message_id)
        decided = await approvals.own_words(post, _proposed(replied), user.id, text)
        if decided is None:
            return False
        decision, texts = decided
        if decision is Decision.SENT:
            self._desk.deliverer.look()
        target = Target(message.chat.id, message.message_id, user.id, private=True)
        self._desk.background.start(self._desk.say(target, Reply(told(decision, texts))))
        return True

    async def callback(self, update: Update) -> None:
        """A button of ours. Every press is answered, or Telegram goes on showing that it waits."""
        query = update.callback_query
        if query is None:
            return
        said, alert = "", False
        try:
            said, alert = await self._pressed(query)
        finally:
            try:
                await query.answer(said[:_NOTICE_CHARS] or None, show_alert=alert)
            except FAILURES as error:
                log.info("telegram_press_not_answered", error=error_code(error))

    async def stopped(self, update: Update) -> None:
        """Somebody pressed the Stop of a draft: the turn whose draft it is, in this chat."""
        told_of = (update.api_kwargs or {}).get(STOPPED) or {}
        chat, draft = told_of.get("chat") or {}, told_of.get("draft_id")
        if not isinstance(chat.get("id"), int) or not isinstance(draft, int):
            return
        topic = told_of.get("message_thread_id")
        target = Target(chat["id"], 0, chat["id"], topic if isinstance(topic, int) else None, private=True)
        for turn in await asyncio.to_thread(self._open_turns, target):
            if draft_id(turn.id) == draft:
                await self._desk.services.cancel(turn.id)

    async def reaction(self, update: Update) -> None:
        """A thumb as a reaction to an answer; Telegram tells of them only where the bot is an administrator."""
        told_of = update.message_reaction
        if told_of is None or told_of.user is None or told_of.user.is_bot:
            return
        verdict, before = _verdict(told_of.new_reaction), _verdict(told_of.old_reaction)
        if verdict != before:
            await self._react(told_of, told_of.user, verdict)

    async def _react(self, told_of: MessageReactionUpdated, user: User, verdict: int) -> None:
        found = await asyncio.to_thread(self._shown_by, told_of.chat.id, told_of.message_id)
        if found is None:
            return
        turn, target = found
        caller = self._desk.caller(Target(target.chat_id, 0, user.id, target.topic_id), user)
        where = await asyncio.to_thread(find_caller, self._desk.services.store, caller)
        try:
            await feedback.rate(self._desk.services, where, turn.id, verdict)
        except RequestError as error:
            log.info("telegram_reaction_not_kept", error=error.code)

    async def _pressed(self, query: CallbackQuery) -> tuple[str, bool]:
        """What the notice says, and whether it must be closed."""
        message = query.message
        action = read_action(query.data or "")
        if message is None or action is None:
            return "", False
        if action.name == APPROVE:
            return await self._approve(action, query.from_user)
        target = _target_of(message, query.from_user)
        texts = texts_for(query.from_user.language_code or "")
        if not self._desk.served.serves(query.from_user.id, 0 if target.private else target.chat_id):
            return texts("I may not answer you here."), True
        caller = self._desk.caller(target, query.from_user)
        reply = await self._desk.commands.press(caller, query.data or "")
        if reply is None:
            return "", False
        post = post_id(message.chat.id, message.message_id)
        if action.name not in _NOTICED:
            if action.name in (actions.FORGET, actions.RELEASE):
                await self._put_buttons(target, post, ())
            await self._desk.say(target, reply)
            return "", False
        if reply.turn_id is not None:
            self._desk.deliverer.begin(reply.turn_id)
            await self._put_buttons(target, post, ())
        elif action.name in (actions.THUMBS_DOWN, actions.WHY):
            # The reasons take the thumbs' place, and the other way round.
            await self._put_buttons(target, post, reply.buttons or thumbs(action.argument))
        return reply.text, False

    async def _approve(self, action: Action, user: User) -> tuple[str, bool]:
        decision, texts = await self._desk.platform.approvals.press(action, user.id)
        if decision is Decision.SENT:
            self._desk.deliverer.look()
        return told(decision, texts), decision not in (Decision.SENT, Decision.DISCARDED)

    async def _put_buttons(self, target: Target, post: str, buttons: Sequence[Button]) -> None:
        try:
            await self._desk.platform.put_buttons(target, post, buttons)
        except SendFailed as error:
            log.info("telegram_buttons_not_changed", error=str(error))

    def _open_turns(self, target: Target) -> list[Turn]:
        with self._desk.services.store.read() as repositories:
            workspace = repositories.people.known_workspace(Platform.TELEGRAM, self._desk.bot_id)
            place = repositories.places.known(workspace.id, target.place) if workspace is not None else None
            if workspace is None or place is None:
                return []
            conversation = repositories.conversations.by_name(workspace.id, conversation_name(place))
            return repositories.turns.open_of(conversation.id) if conversation is not None else []

    def _shown_by(self, chat_id: int, message_id: int) -> tuple[Turn, Target] | None:
        with self._desk.services.store.read() as repositories:
            workspace = repositories.people.known_workspace(Platform.TELEGRAM, self._desk.bot_id)
            if workspace is None:
                return None
            post = post_id(chat_id, message_id)
            turn = repositories.deliveries.turn_shown_by(Platform.TELEGRAM, workspace.id, post)
            delivery = repositories.deliveries.of_turn(turn.id) if turn is not None else None
            return (turn, Target.read(delivery.target)) if turn is not None and delivery is not None else None


def _proposed(message: Message) -> str:
    """The turn whose proposal a message of ours shows by its buttons; empty: none."""
    rows = message.reply_markup.inline_keyboard if message.reply_markup is not None else ()
    shown = [read_action(str(button.callback_data or "")) for row in rows for button in row]
    return next((action.argument for action in shown if action is not None and action.name == APPROVE), "")


def _target_of(message: MaybeInaccessibleMessage, user: User) -> Target:
    """Where a message with our buttons stands. One that is too old tells its chat only."""
    topic = message.message_thread_id if isinstance(message, Message) and message.is_topic_message else None
    return Target(message.chat.id, message.message_id, user.id, topic, private=message.chat.type == "private")


def _verdict(reactions: Sequence[ReactionType]) -> int:
    emojis = [one.emoji for one in reactions if isinstance(one, ReactionTypeEmoji)]
    return next((_VERDICTS[emoji] for emoji in emojis if emoji in _VERDICTS), 0)
