"""Events → questions, commands, changes. Everything here runs before Slack is told that it arrived."""

import asyncio
import re

import structlog

from bots.chat.commands import Command, parse_command
from bots.chat.once import Once
from bots.chat.reply import Reply
from bots.slack.bolt import Body
from bots.slack.desk import Desk
from bots.slack.listening import may_be_for_us
from bots.slack.message import Deletion, Edit, Message, read_change, read_message
from bots.slack.people import Profile
from bots.slack.questions import question_of
from bots.slack.target import Target, Thread, message_key
from bots.slack.words import mentions, plain
from core.conversation.changes import replace_question, turn_of_event
from core.conversation.erasure import erase_message
from core.conversation.gathering import add_references
from core.conversation.inbound import InboundQuestion
from core.errors import NotServed, QuestionErased, RequestError
from core.queue.streams import forget_stream
from core.store.database import Repositories
from core.store.models import Turn
from core.values import Platform, utc_now

log = structlog.get_logger(__name__)

# An edit may overtake its message by so much.
_OVERTAKES_S = 60.0
# How long it may take until an answer that is being shown has its end.
_ERASE_AFTER_S = (0.0, 5.0, 20.0, 90.0)
_BARE_WORD = re.compile(r"[A-Za-z]+")


class Inbox:
    """Reads what people write. Raises StoreError where nothing could be committed, so that Slack sends it again."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._services = desk.services
        self._settings = desk.services.settings
        self._refused = Once()

    async def message(self, team: str, bot_user: str, event: Body, event_id: str) -> None:
        """A `message` or `app_mention` event."""
        change = read_change(team, event)
        if isinstance(change, Deletion):
            await self._deleted(change, event)
        elif isinstance(change, Edit):
            await self._edited(change.message, bot_user, event)
        elif (message := read_message(team, event, event_id)) is not None:
            await self._said(message, bot_user)

    async def stopped(self, team: str, event: Body) -> None:
        """An `agent_session_stopped` event: somebody pressed Slack's own Stop button."""
        channel, root = event.get("channel"), event.get("thread_ts")
        if not isinstance(channel, str) or not isinstance(root, str):
            return
        for turn_id in await self._services.urgently(self._open_in, Thread(team, channel, root)):
            await self._services.cancel(turn_id)

    async def ask(self, inbound: InboundQuestion, thread: Thread) -> None:
        """Commit a question and see to its answer; where it cannot be taken, say why."""
        try:
            accepted = await self._services.ask(inbound)
        except QuestionErased:
            # Its message was deleted, or the person had everything erased; Slack repeats itself.
            return
        except RequestError as error:
            # The other event of a pair is refused as well.
            if self._refused.first(inbound.event_key):
                self._desk.background.start(self._refuse(thread, inbound.person, error))
            return
        if accepted.duplicate:
            if inbound.pending:
                # The other event of a pair may have come without files.
                await self._services.urgently(
                    add_references,
                    self._services.store,
                    accepted.turn_id,
                    [p for p in inbound.pending if "file" in p.source],
                    "id",
                )
            return
        self._desk.begin(accepted.turn_id, gathers=bool(inbound.pending))
        self._desk.background.start(self._meet(thread.team, inbound.person))

    async def _said(self, message: Message, bot_user: str) -> None:
        listening = self._desk.listening
        if not listening.opens(message.team, message.channel):
            return
        if not listening.serves(message.team, message.channel, message.user):
            await self._not_served(message)
            return
        known = await self._services.urgently(self._takes_part, message.thread) if message.root else False
        for_us = may_be_for_us(message, bot_user, listening.listens(message.team, message.channel))
        if not (known if for_us is None else for_us):
            return
        if (command := _command(message, bot_user)) is not None:
            if await self._first(f"{message.key}:command"):
                self._desk.background.start(self._obey(message, command))
            return
        profile = self._desk.people.known(message.team, message.user)
        inbound = question_of(message, bot_user, joins=not known, locale=profile.locale, person_name=profile.name)
        if not inbound.question and not inbound.pending:
            return
        await self.ask(inbound, message.thread)

    async def _not_served(self, message: Message) -> None:
        """Whoever is alone with us is told so, once a day; in a channel we stay silent."""
        key = f"not-served:{message.team}:{message.user}:{utc_now():%Y-%m-%d}"
        if message.direct and await self._first(key):
            self._desk.background.start(self._refuse(message.thread, message.user, NotServed()))

    async def _edited(self, message: Message, bot_user: str, event: Body) -> None:
        turn = await self._turn(message.key)
        if turn is not None:
            if question := plain(message.text, bot_user)[: self._settings.question_max_chars]:
                await self._services.urgently(replace_question, self._services.store, turn.id, question)
            return
        if _is_fresh(message.ts, event):
            # It overtook the message, which will then be the duplicate; or the person added the mention.
            await self._said(message, bot_user)

    async def _deleted(self, deletion: Deletion, event: Body) -> None:
        key = message_key(deletion.team, deletion.channel, deletion.ts)
        turn = await self._turn(key)
        if turn is not None:
            # First this, or "Stopped." would be said below a question that is not there any more.
            target = await self._services.write_urgently(key, lambda r: _take_back(r, turn.id))
            await self._services.cancel(turn.id)
            if target is not None:
                self._desk.background.start(self._desk.platform.quiet(target))
            if self._settings.slack_deleted == "erase":
                self._desk.background.start(self._erase(turn.id))
        elif _is_fresh(deletion.ts, event):
            # It may have overtaken its message, which shall find that it was deleted.
            await self._first(key)

    async def _erase(self, turn_id: str) -> None:
        """As soon as nothing is being brought of its answer any more. Until then, or if we are stopped, it stays."""
        for wait_s in _ERASE_AFTER_S:
            await asyncio.sleep(wait_s)
            if await asyncio.to_thread(erase_message, self._services.store, self._services.blobs, turn_id, utc_now()):
                await asyncio.to_thread(forget_stream, self._services.sync_redis, turn_id)
                return

    async def _obey(self, message: Message, command: Command) -> None:
        caller = await self._desk.caller(message.thread, message.user)
        reply = await self._desk.commands.run(caller, command)
        await self._desk.say(message.thread, message.user, reply)

    async def _refuse(self, thread: Thread, user: str, error: RequestError) -> None:
        texts = await self._desk.texts(thread.team, user)
        await self._desk.say(thread, user, Reply(texts.error(error)))

    async def _meet(self, team: str, user: str) -> None:
        """Learn somebody's language, so that the answer is framed in it."""
        if self._desk.people.known(team, user).locale:
            return
        profile = await self._desk.people.learn(team, user)
        if profile.locale:
            await self._keep(team, user, profile)

    async def _keep(self, team: str, user: str, profile: Profile) -> None:
        def write(repositories: Repositories) -> None:
            repositories.people.person_of(Platform.SLACK, team, user, display_name=profile.name, locale=profile.locale)

        await self._services.note(user, write)

    async def _turn(self, key: str) -> Turn | None:
        return await self._services.urgently(turn_of_event, self._services.store, Platform.SLACK, key)

    async def _first(self, key: str) -> bool:
        return await self._services.write_urgently(key, lambda r: r.inbound.first(Platform.SLACK, key))

    def _takes_part(self, thread: Thread) -> bool:
        with self._services.store.read() as repositories:
            workspace = repositories.people.known_workspace(Platform.SLACK, thread.team)
            return workspace is not None and repositories.conversations.by_name(workspace.id, thread.name) is not None

    def _open_in(self, thread: Thread) -> list[str]:
        with self._services.store.read() as repositories:
            workspace = repositories.people.known_workspace(Platform.SLACK, thread.team)
            found = repositories.conversations.by_name(workspace.id, thread.name) if workspace is not None else None
            return [turn.id for turn in repositories.turns.open_of(found.id)] if found is not None else []


def _is_fresh(ts: str, event: Body) -> bool:
    """Whether the event came so soon after its message that it may have overtaken it."""
    when = event.get("event_ts") or event.get("ts") or "0"
    return float(when) - float(ts) < _OVERTAKES_S


def _command(message: Message, bot_user: str) -> Command | None:
    """The command that a message is: `!stop` anywhere, or the bare word where only we are meant."""
    words = plain(message.text, bot_user)
    if words.startswith("!"):
        return parse_command(words[1:])
    only_us = message.direct or message.mention_event or bot_user in mentions(message.text)
    if only_us and not message.files and _BARE_WORD.fullmatch(words):
        return parse_command(words)
    return None


def _take_back(repositories: Repositories, turn_id: str) -> Target | None:
    """Where nothing will be said about this turn; None: something stands there already."""
    delivery = repositories.deliveries.of_turn(turn_id)
    dropped = repositories.deliveries.drop(turn_id)
    return Target.read(delivery.target) if dropped and delivery is not None else None
