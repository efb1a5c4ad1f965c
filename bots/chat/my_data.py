"""Commands about what is kept of a person: usage, privacy, forget."""

import asyncio
from datetime import datetime

from bots.chat.actions import FORGET, Action, Button
from bots.chat.reply import Reply
from bots.chat.texts import Texts
from bots.chat.whereabouts import Whereabouts
from bots.services import Services
from core.queue.erasing import stop_and_erase_person
from core.store.retention.rules import Rules, What
from core.store.usage import PersonUsage
from core.values import Platform, utc_now

YES, NO = "yes", "no"
_NAMES = {Platform.SLACK: "Slack", Platform.TELEGRAM: "Telegram"}


async def usage(services: Services, where: Whereabouts) -> Reply:
    """How much this person was answered today and this month, by the days of UTC."""
    now, texts = utc_now(), where.texts
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    lines = [
        texts("Today: {usage}", usage=_said(await asyncio.to_thread(_usage, services, where, today), texts)),
        texts(
            "This month: {usage}",
            usage=_said(await asyncio.to_thread(_usage, services, where, today.replace(day=1)), texts),
        ),
        texts("Days and months are those of UTC."),
    ]
    return Reply("\n".join(lines))


async def privacy(services: Services, where: Whereabouts) -> Reply:
    """What is kept, where, for how long."""
    rules = await asyncio.to_thread(_rules, services)
    days = {what: rules.days(what, where.workspace.id) for what in (What.TURNS, What.PICTURES)}
    texts, platform = where.texts, _NAMES.get(Platform(where.workspace.platform), where.workspace.platform)
    model = (
        texts("The model runs on another server, which your admin has chosen; questions and pictures are sent to it.")
        if services.settings.backend == "openai"
        else texts("The model runs on this installation's own machines; nothing is sent to anybody else.")
    )
    said = [
        texts(
            "**What is kept:** your questions and pictures (scaled down, without place and camera data), the answers, "
            "your ratings, your name and language as {platform} tells them, and how many tokens each answer cost.",
            platform=platform,
        ),
        texts("**Where:** in the database and the files of this installation, which your team runs itself. ") + model,
        texts(
            "**How long:** until you have it erased with “forget”, or your admin does. Messages in {platform} itself "
            "are {platform}'s; delete them there.",
            platform=platform,
        ),
        *_at_most(days[What.TURNS], days[What.PICTURES], texts),
    ]
    return Reply("\n\n".join(said), (Button(texts("Erase my conversations"), _value(where), danger=True),))


def ask_before_forgetting(where: Whereabouts) -> Reply:
    """Nothing is erased without a second word."""
    texts = where.texts
    said = texts(
        "Shall I erase all your questions, their answers and your pictures, everywhere in this workspace? This cannot "
        "be undone. In threads with others, their questions and answers stay, and so do messages that were sent."
    )
    yes = Button(texts("Erase everything"), _value(where, YES), danger=True)
    return Reply(said, (yes, Button(texts("Keep it"), _value(where, NO))))


async def forget(services: Services, where: Whereabouts, action: Action) -> Reply:
    """The answer to `ask_before_forgetting`, or its question once more."""
    texts = where.texts
    if action.argument != where.person.id:
        return Reply(
            texts("This button is for somebody else. Write “forget” to erase your own conversations."), done=False
        )
    if action.choice == NO:
        return Reply(texts("Nothing was erased."))
    if action.choice != YES:
        return ask_before_forgetting(where)
    erased = await asyncio.to_thread(
        stop_and_erase_person,
        services.store,
        services.sync_redis,
        services.blobs,
        where.person.id,
        services.settings.stream_ttl_s,
    )
    kept = texts.plural(
        "{n} question is kept: an admin has to keep its conversation, for legal reasons. Ask your admin about it.",
        "{n} questions are kept: an admin has to keep their conversations, for legal reasons. Ask your admin about it.",
        erased.held,
    )
    if not erased.turn_ids:
        return Reply(kept if erased.held else texts("There was nothing to erase."))
    questions = texts.plural("{n} question", "{n} questions", len(erased.turn_ids))
    pictures = texts.plural("{n} picture", "{n} pictures", erased.pictures)
    said = texts("Erased: {questions} with their answers, {pictures}.", questions=questions, pictures=pictures)
    return Reply(f"{said}\n\n{kept}" if erased.held else said)


def _at_most(all_days: int | None, picture_days: int | None, texts: Texts) -> list[str]:
    """How long things are kept by the rules of retention, where there are any."""
    said = []
    if all_days is not None:
        said.append(
            texts.plural("Anyway it is removed after {n} day.", "Anyway it is removed after {n} days.", all_days)
        )
    if picture_days is not None and (all_days is None or picture_days < all_days):
        said.append(
            texts.plural("Pictures are removed after {n} day.", "Pictures are removed after {n} days.", picture_days)
        )
    return [" ".join(said)] if said else []


def _rules(services: Services) -> Rules:
    with services.store.read() as repositories:
        return repositories.retention.rules()


def _value(where: Whereabouts, choice: str = "") -> str:
    # With whose it is: what one person sees, another may press.
    return Action(FORGET, where.person.id, choice).value


def _said(used: PersonUsage, texts: Texts) -> str:
    questions = texts.plural("{n} question", "{n} questions", used.turns)
    pictures = texts.plural("{n} picture", "{n} pictures", used.pictures)
    tokens = texts(
        "{read} tokens read, {written} written", read=f"{used.prompt_tokens:,}", written=f"{used.completion_tokens:,}"
    )
    return f"{questions}, {pictures}, {tokens}"


def _usage(services: Services, where: Whereabouts, since: datetime) -> PersonUsage:
    with services.store.read() as repositories:
        return repositories.usage.of_person(where.workspace.id, where.person.id, since)
