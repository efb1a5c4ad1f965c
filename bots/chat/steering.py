"""Commands about a conversation: new, stop, retry, human."""

import asyncio

from bots.chat.actions import RELEASE, Action, Button
from bots.chat.reply import Caller, Reply
from bots.chat.whereabouts import Whereabouts, turn_here
from bots.services import Services
from core.errors import NotFound
from core.queue.handover import release
from core.store.models import Conversation, Turn
from core.values import ACTIVE_STATES, TurnState


async def begin_anew(services: Services, caller: Caller, where: Whereabouts) -> Reply:
    """What is asked next begins a new conversation; where every thread is one, nothing needs to be done for that."""
    texts = where.texts
    if caller.threads:
        return Reply(texts("Every thread is a conversation of its own here. Write outside of this one to begin anew."))

    def write() -> None:
        with services.store.write() as repositories:
            repositories.places.begin_anew(where.place.id)

    await asyncio.to_thread(write)
    return Reply(texts("A new conversation begins with the next question. What was said before is left aside."))


async def stop_all(services: Services, where: Whereabouts) -> Reply:
    """Stop what runs or waits in this conversation: the caller's own questions, or all if none of them is his."""
    texts = where.texts
    open_turns = await asyncio.to_thread(_open_turns, services, where)
    mine = [turn for turn in open_turns if turn.person_id == where.person.id]
    stopped = [turn for turn in mine or open_turns if await services.cancel(turn.id) is not None]
    if not stopped:
        return Reply(texts("Nothing is being answered here."))
    return Reply(texts.plural("{n} question stopped.", "{n} questions stopped.", len(stopped)))


async def stop_one(services: Services, where: Whereabouts, turn_id: str) -> Reply:
    """Stop one turn, by its button.

    Raises:
        NotFound: no such turn at this place (any more).
    """
    texts = where.texts
    turn = await asyncio.to_thread(_turn, services, where, turn_id)
    if turn.state not in ACTIVE_STATES:
        return Reply(texts("This was answered already."))
    await services.cancel(turn.id)
    return Reply(texts("Stopped."))


async def retry(services: Services, where: Whereabouts) -> Reply:
    """Ask the last question of this conversation again.

    Raises:
        RequestError: it did not fail, or is somebody else's.
    """
    last = await asyncio.to_thread(_last_turn, services, where)
    if last is None:
        return Reply(where.texts("Nothing was asked here yet."))
    return await _ask_again(services, where, last)


async def retry_one(services: Services, where: Whereabouts, turn_id: str) -> Reply:
    """Ask a question again, by its button.

    Raises:
        NotFound: no such turn at this place (any more).
        RequestError: it is not the last of its conversation, or did not fail.
    """
    return await _ask_again(services, where, await asyncio.to_thread(_turn, services, where, turn_id))


async def hand_over(services: Services, where: Whereabouts) -> Reply:
    """Leave this conversation to a human; the model is silent in it until it is released."""
    texts, conversation = where.texts, where.conversation
    if conversation is None:
        return Reply(texts("There is nothing to hand over yet. Ask your question first."))
    buttons = (Button(texts("Let Glimt answer again"), Action(RELEASE, conversation.id).value),)
    if not await services.hand_over(conversation.id):
        return Reply(texts("A person will answer here already. I stay silent until then."), buttons, private=False)
    return Reply(
        texts("I have asked for a person to answer here. I stay silent in this conversation until then."),
        buttons,
        private=False,
    )


async def let_answer(services: Services, where: Whereabouts, conversation_id: str) -> Reply:
    """The model answers again, by a button in the conversation.

    Raises:
        NotFound: no such conversation at this place (any more).
    """
    conversation = await asyncio.to_thread(_conversation, services, conversation_id)
    if conversation is None or conversation.place_id != where.place.id:
        raise NotFound
    await asyncio.to_thread(release, services.store, conversation_id)
    return Reply(where.texts("I answer here again. Please ask what is still open once more."), private=False)


async def _ask_again(services: Services, where: Whereabouts, turn: Turn) -> Reply:
    texts = where.texts
    if turn.person_id != where.person.id:
        return Reply(texts("Somebody else asked this. Only they can ask it again."))
    if turn.state in (TurnState.READY, TurnState.RUNNING, TurnState.GATHERING):
        return Reply(texts("This is being answered already."))
    await services.ask_again(turn.id, where.person.id)
    return Reply(texts("Trying again …"), turn_id=turn.id)


def _open_turns(services: Services, where: Whereabouts) -> list[Turn]:
    if where.conversation is None:
        return []
    with services.store.read() as repositories:
        return repositories.turns.open_of(where.conversation.id)


def _last_turn(services: Services, where: Whereabouts) -> Turn | None:
    if where.conversation is None:
        return None
    with services.store.read() as repositories:
        return next(iter(repositories.turns.of_conversation(where.conversation.id, limit=1)), None)


def _turn(services: Services, where: Whereabouts, turn_id: str) -> Turn:
    with services.store.read() as repositories:
        return turn_here(repositories, where, turn_id)


def _conversation(services: Services, conversation_id: str) -> Conversation | None:
    with services.store.read() as repositories:
        return repositories.conversations.get(conversation_id)
