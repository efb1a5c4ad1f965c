"""Commands that choose something: the persona of a place, a person's language."""

import asyncio
from collections.abc import Mapping

from bots.chat.actions import LANGUAGE, MODE, Action, Button
from bots.chat.reply import Caller, Reply, not_for_everybody
from bots.chat.texts import LANGUAGES, Texts, known_language, text_id, texts_for
from bots.chat.whereabouts import Whereabouts
from bots.services import Services
from core.conversation.personas import PLAIN, Persona
from core.policy.effective import Effective

AUTOMATIC = "auto"
_WHAT_FOR: Mapping[str, str] = {
    PLAIN: text_id("answers whatever is asked"),
    "support": text_id("screenshots, error messages, devices: what is wrong and what to do"),
    "shopping": text_id("goods: what it is and what to search for"),
    "documents": text_id("letters, invoices, tables: exact words and numbers"),
    "tutor": text_id("exercises and diagrams, explained step by step"),
    "moderation": text_id("what in a picture may matter to moderators"),
}
_MADE_HERE = text_id("a mode that your admin has made")
# Slack takes 25 in one block.
_MOST_BUTTONS = 20
# What people may write instead of a persona's name.
_ALSO = {
    "客服": "support",
    "支持": "support",
    "购物": "shopping",
    "文档": "documents",
    "辅导": "tutor",
    "老师": "tutor",
    "审核": "moderation",
    "普通": PLAIN,
}


async def choose_mode(services: Services, caller: Caller, where: Whereabouts, word: str) -> Reply:
    """Set the persona of this place, or list them all where `word` is none of them."""
    texts, effective = where.texts, effective_at(services, caller)
    persona = find_persona(effective, word)
    if persona is None:
        buttons = _persona_buttons(effective, where) if caller.steers else ()
        return Reply(_personas(effective, where, texts, unknown=word.strip()), buttons)
    name = persona.name
    if not caller.steers:
        return not_for_everybody(texts)

    def write() -> None:
        with services.store.write() as repositories:
            repositories.places.set_persona(where.place.id, name)

    await asyncio.to_thread(write)
    said = texts("From the next answer on the mode here is {mode}: {what}.", mode=name, what=_what_for(persona, texts))
    return Reply(said, private=False)


async def choose_language(services: Services, where: Whereabouts, word: str) -> Reply:
    """Set this person's language, or offer all of them where `word` is none. `auto`: as the platform says."""
    wanted = word.strip().lower()
    language = "" if wanted == AUTOMATIC else known_language(wanted)
    if not language and wanted != AUTOMATIC:
        names = ", ".join(f"{name} ({code})" for code, name in LANGUAGES.items())
        buttons = tuple(Button(name, Action(LANGUAGE, code).value) for code, name in LANGUAGES.items())
        return Reply(where.texts("Which language shall I use for you? {names}", names=names), buttons)

    def write() -> None:
        with services.store.write() as repositories:
            repositories.people.set_language(where.person.id, language)

    await asyncio.to_thread(write)
    texts = texts_for(language or where.person.locale)
    return Reply(texts("I write to you in English now. Answers follow the language of your question."))


def effective_at(services: Services, caller: Caller) -> Effective:
    """What admins have decided for where the caller is.

    Raises:
        StoreError: nobody knows yet.
    """
    return services.policies.now.at(caller.platform, caller.workspace, caller.place)


def find_persona(effective: Effective, word: str) -> Persona | None:
    """The persona that may be chosen by this word: its name, its title, or another word for it."""
    personas, said = effective.personas(), word.strip().lower()
    if not said:
        return None
    titled = next((persona for persona in personas.values() if persona.title.lower() == said), None)
    return personas.get(said) or titled or personas.get(_ALSO.get(said, ""))


def _what_for(persona: Persona, texts: Texts) -> str:
    # A title is the admin's own words, in whatever language his people speak.
    return persona.title or texts(_WHAT_FOR.get(persona.name, _MADE_HERE))


def _personas(effective: Effective, where: Whereabouts, texts: Texts, unknown: str) -> str:
    now = effective.persona(where.place.persona).name
    chosen = " " + texts("(now)")
    lines = [
        f"- **{name}**{chosen if name == now else ''}: {_what_for(persona, texts)}"
        for name, persona in effective.personas().items()
    ]
    head = texts("What shall I be here? Write for example “mode {name}”.", name="documents")
    if unknown:
        head = texts("There is no mode “{name}”.", name=unknown[:40]) + " " + head
    return "\n".join([head, "", *lines])


def _persona_buttons(effective: Effective, where: Whereabouts) -> tuple[Button, ...]:
    now = effective.persona(where.place.persona).name
    others = [name for name in effective.personas() if name != now]
    return tuple(Button(name, Action(MODE, name).value) for name in others[:_MOST_BUTTONS])
