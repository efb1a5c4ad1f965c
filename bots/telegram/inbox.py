"""Messages → questions, commands, changes. Everything here runs before Telegram is told that they arrived."""

import asyncio
from functools import partial

import structlog
from telegram import BusinessMessagesDeleted, Message, User

from bots.chat.commands import Command, parse_command
from bots.chat.reply import Reply
from bots.chat.texts import Texts, texts_for
from bots.telegram.desk import Desk
from bots.telegram.listening import ASK, is_for_us
from bots.telegram.message import Said, read_message
from bots.telegram.overheard import Overheard
from bots.telegram.presses import Presses
from bots.telegram.taking import Taken, Taking, files_of, question_of
from bots.telegram.target import message_key, update_key
from core.conversation.changes import replace_question, turn_of_event
from core.conversation.inbound import Pending
from core.errors import NotServed, QuestionErased, RequestError
from core.queue.cancel import stop_attempt
from core.values import Platform, utc_now

log = structlog.get_logger(__name__)


class Inbox:
    """Reads what people write. Raises StoreError where nothing could be committed, so that the update comes again."""

    def __init__(self, desk: Desk, presses: Presses) -> None:
        self._desk = desk
        self._presses = presses
        self._services = desk.services
        self._taking = Taking(desk.services)
        self._served = desk.served
        self._overheard = Overheard()

    async def message(self, message: Message, update_id: int, me: User, *, owner_id: int = 0) -> None:
        """A new message; `owner_id`: in a chat of this person's business account."""
        said = read_message(message, update_id, me, owner_id=owner_id)
        if said is None:
            return
        # Whoever connected a business account decides about it, also where he is not served himself.
        if await self._decides(message, said):
            return
        if await self._is_served(said):
            await self._said(said, me)

    async def edited(self, message: Message, update_id: int, me: User, *, owner_id: int = 0) -> None:
        """A message was changed: so is the question, while nobody answers it."""
        said = read_message(message, update_id, me, owner_id=owner_id)
        if said is None or not self._served.opens(said) or not self._served.lets_ask(said):
            return
        turn = await self._desk.commit(partial(turn_of_event, self._services.store, Platform.TELEGRAM, said.key))
        if turn is None:
            if said.fresh and not await self._decides(message, said):
                # It overtook the message, which will then be the duplicate; or the person added the mention.
                await self._said(said, me)
            return
        words = question_of(said, _words(said, me))
        if words:
            words = words[: self._services.settings.question_max_chars]
            await self._desk.commit(partial(replace_question, self._services.store, turn.id, words))

    async def deleted(self, deleted: BusinessMessagesDeleted, owner_id: int) -> None:
        """Messages of a business account's chat were deleted: nobody waits for their answers."""
        for message_id in deleted.message_ids:
            key = message_key(self._desk.bot_id, deleted.chat.id, message_id, owner_id)
            turn = await self._desk.commit(partial(turn_of_event, self._services.store, Platform.TELEGRAM, key))
            if turn is not None:
                await self._services.cancel(turn.id)

    async def _is_served(self, said: Said) -> bool:
        """Whether it may be answered. Whoever is alone with us and must not ask is told so, once a day."""
        if not self._served.opens(said):
            return False
        if self._served.lets_ask(said):
            return True
        if said.private and not said.owner_id:
            key = f"{said.bot_id}:not-served:{said.user_id}:{utc_now():%Y-%m-%d}"
            if await self._desk.commit(partial(self._note, key)):
                self._desk.background.start(self._refuse(said, NotServed()))
        return False

    async def _decides(self, message: Message, said: Said) -> bool:
        if not said.private or said.user is None or said.reply is None or not said.reply.ours:
            return False
        if said.text.command() is not None:
            # That is said to us.
            return False
        return await self._presses.own_words(message, said.user, message.text or "")

    async def _said(self, said: Said, me: User) -> None:
        command = said.text.command() if not said.owner_id else None
        asks = command is not None and command[0] == ASK
        if command is not None and command[1] and command[1].lower() != (me.username or "").lower():
            # It is another bot's.
            return
        if command is not None and not asks and not said.files:
            name, _, argument = command
            # By its own name, also where somebody typed another word for it.
            known = parse_command(name)
            await self._command(said, Command(known.name if known is not None else name, argument))
            return
        if not asks and not is_for_us(said, me, self._served.listens(said)):
            await self._unaddressed(said)
            return
        overheard = self._overheard.earlier_of_album(said)
        if said.in_group and not said.files and not (said.reply is not None and (said.reply.files or said.reply.ours)):
            overheard = self._overheard.just_sent(said)
        files = files_of(said, overheard)
        question = question_of(said, _words(said, me))
        if not question and not files:
            if said.beyond_us and said.private and not said.owner_id:
                self._desk.background.start(self._cannot(said))
            return
        await self._ask(said, question, files)

    async def _unaddressed(self, said: Said) -> None:
        """Not for us, unless it is a further picture of an album that is."""
        if not said.files:
            return
        if said.album:
            taken = await self._desk.commit(partial(self._taking.take_part, said, "", said.files))
            if taken is not None:
                await self._begin(taken)
                return
        self._overheard.hear(said)

    async def _ask(self, said: Said, question: str, files: tuple[Pending, ...]) -> None:
        try:
            taken = await self._desk.commit(partial(self._taking.take, said, question, files))
        except QuestionErased:
            # Its message was deleted, or the person had everything erased; Telegram repeats itself.
            return
        except RequestError as error:
            self._desk.background.start(self._refuse(said, error))
            return
        await self._begin(taken)

    async def _begin(self, taken: Taken) -> None:
        if not taken.turn_id:
            return
        if taken.interrupted:
            # Its worker would notice with the next heartbeat.
            stop = partial(stop_attempt, self._services.sync_redis, taken.turn_id, taken.interrupted)
            await asyncio.to_thread(stop)
        if taken.person_id and not taken.gathers:
            self._services.announcer.hint(taken.person_id, taken.conversation_id)
        self._desk.begin(taken.turn_id, gathers=taken.gathers)

    async def _command(self, said: Said, command: Command) -> None:
        key = update_key(said.bot_id, said.update_id)
        if await self._desk.commit(partial(self._known, key)):
            return
        await self._presses.command(said.target, await self._desk.caller(said.target, said.user), command)
        # Only now: whoever dies in between is told again, and every command may be given twice.
        await self._desk.commit(partial(self._note, key))

    async def _refuse(self, said: Said, error: RequestError) -> None:
        if said.owner_id:
            # In a shop's name nothing is said of ours.
            log.warning("telegram_customer_refused", owner=said.owner_id, error=error.code)
            return
        texts = await self._texts(said)
        await self._desk.say(said.target, Reply(texts.error(error)))

    async def _cannot(self, said: Said) -> None:
        texts = await self._texts(said)
        await self._desk.say(said.target, Reply(texts("I look at pictures and read words; this is neither.")))

    async def _texts(self, said: Said) -> Texts:
        """The language that this person chose, or that Telegram tells of."""
        chosen = await asyncio.to_thread(self._chosen, said)
        return texts_for(chosen or (said.user.language_code if said.user is not None else "") or "")

    def _chosen(self, said: Said) -> str:
        with self._services.store.read() as repositories:
            person = repositories.people.known(Platform.TELEGRAM, said.bot_id, str(said.user_id))
            return person.language if person is not None else ""

    def _known(self, key: str) -> bool:
        with self._services.store.read() as repositories:
            return repositories.inbound.find(Platform.TELEGRAM, key) is not None

    def _note(self, key: str) -> bool:
        with self._services.store.write(urgent=True) as repositories:
            return repositories.inbound.first(Platform.TELEGRAM, key)


def _words(said: Said, me: User) -> str:
    """What is asked; behind `/ask` without that word."""
    command = said.text.command() if not said.owner_id else None
    return command[2] if command is not None and command[0] == ASK else said.text.spoken(me)
