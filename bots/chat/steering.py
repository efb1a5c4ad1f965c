"""Commands about a conversation: new, stop, retry, human."""

import asyncio

from bots.chat.actions import RELEASE, Action, Button
from bots.chat.reply import Caller, Reply, not_for_everybody
from bots.chat.whereabouts import Whereabouts, turn_here
from bots.services import Services
from core.errors import NotFound
from core.queue.handover import release
from core.store.models import Conversation, Turn
from core.values import ACTIVE_STATES, TurnState

# Among so many turns of a conversation `retry` finds the one that is meant.
LOOK_BACK = 50


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
    """Ask the caller's latest question again that failed or was stopped in this conversation.

    Raises:
        RequestError: none did.
    """
    last = await asyncio.to_thread(_to_repeat, services, where)
    if last is None:
        return Reply(where.texts("Nothing was asked here yet."))
    return await _ask_again(services, where, last)


async def retry_one(services: Services, where: Whereabouts, turn_id: str) -> Reply:
    """Ask a question again, by its button.

    Raises:
        NotFound: no such turn at this place (any more).
        RequestError: it did not fail, or a question behind it is being answered.
    """
    return await _ask_again(services, where, await asyncio.to_thread(_turn, services, where, turn_id))


async def hand_over(services: Services, caller: Caller, where: Whereabouts) -> Reply:
    """Leave this conversation to a human; the model is silent in it until it is released."""
    texts, conversation = where.texts, where.conversation
    if conversation is None:
        return Reply(texts("There is nothing to hand over yet. Ask your question first."))
    if not _may_hand(caller, where, conversation):
        return not_for_everybody(texts)
    buttons = (Button(texts("Let Glimt answer again"), Action(RELEASE, conversation.id).value),)
    if not await services.hand_over(conversation.id):
        return Reply(texts("A person will answer here already. I stay silent until then."), buttons, private=False)
    return Reply(
        texts("I have asked for a person to answer here. I stay silent in this conversation until then."),
        buttons,
        private=False,
    )


async def let_answer(services: Services, caller: Caller, where: Whereabouts, conversation_id: str) -> Reply:
    """The model answers again, by a button in the conversation.

    Raises:
        NotFound: no such conversation at this place (any more).
    """
    conversation = await asyncio.to_thread(_conversation, services, conversation_id)
    if conversation is None or conversation.place_id != where.place.id:
        raise NotFound
    if not _may_hand(caller, where, conversation):
        return not_for_everybody(where.texts)
    await asyncio.to_thread(release, services.store, conversation_id)
    return Reply(where.texts("I answer here again. Please ask what is still open once more."), private=False)


def _may_hand(caller: Caller, where: Whereabouts, conversation: Conversation) -> bool:
    # Whoever began it may always ask for a person.
    return caller.steers or conversation.person_id == where.person.id


async def _ask_again(services: Services, where: Whereabouts, turn: Turn) -> Reply:
    texts = where.texts
    if turn.person_id != where.person.id:
        return Reply(texts("Somebody else asked this. Only they can ask it again."))
    if turn.state in ACTIVE_STATES:
        return Reply(texts("This is being answered already."))
    await services.ask_again(turn.id, where.person.id)
    return Reply(texts("Trying again …"), turn_id=turn.id)


def _open_turns(services: Services, where: Whereabouts) -> list[Turn]:
    if where.conversation is None:
        return []
    with services.store.read() as repositories:
        return repositories.turns.open_of(where.conversation.id)


def _to_repeat(services: Services, where: Whereabouts) -> Turn | None:
    """The turn that the caller means; one that cannot be repeated where there is no other, to say why."""
    if where.conversation is None:
        return None
    with services.store.read() as repositories:
        turns = repositories.turns.of_conversation(where.conversation.id, limit=LOOK_BACK)
    mine = [turn for turn in turns if turn.person_id == where.person.id] or turns
    under_way = [turn for turn in mine[-1:] if turn.state in ACTIVE_STATES]
    ended_badly = [turn for turn in mine if turn.state in (TurnState.FAILED, TurnState.CANCELLED)]
    return next(iter([*under_way, *reversed(ended_badly), *reversed(mine)]), None)


def _turn(services: Services, where: Whereabouts, turn_id: str) -> Turn:
    with services.store.read() as repositories:
        return turn_here(repositories, where, turn_id)


def _conversation(services: Services, conversation_id: str) -> Conversation | None:
    with services.store.read() as repositories:
        return repositories.conversations.get(conversation_id)
