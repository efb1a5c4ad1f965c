"""Commands: what people write to steer Glimt, and what buttons do. Both end in a `Reply`, in the person's language."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from bots.chat import actions, choices, feedback, my_data, steering
from bots.chat.actions import Action, read_action
from bots.chat.reply import Caller, Reply
from bots.chat.texts import Texts, text_id
from bots.chat.whereabouts import Whereabouts, find_caller
from bots.services import Services
from core.errors import RequestError

# In the order in which help lists them.
COMMANDS: Mapping[str, str] = {
    "help": text_id("shows this"),
    "new": text_id("begins a new conversation"),
    "stop": text_id("stops what is being answered"),
    "retry": text_id("asks the last question again"),
    "mode": text_id("chooses what I am here: support, documents, tutor …"),
    "usage": text_id("shows how much you have asked"),
    "lang": text_id("chooses your language"),
    "privacy": text_id("says what is kept of you"),
    "forget": text_id("erases your conversations"),
    "human": text_id("asks for a person to answer"),
}
# What platforms send when somebody opens a chat with us, or follows a link into it; no word that people write.
START = "start"
_ALSO = {
    "language": "lang",
    "cancel": "stop",
    "reset": "new",
    "帮助": "help",
    "新对话": "new",
    "停止": "stop",
    "重试": "retry",
    "模式": "mode",
    "用量": "usage",
    "语言": "lang",
    "隐私": "privacy",
    "忘记": "forget",
    "人工": "human",
}
_WORDS = re.compile(r"\s*(\S+)\s*(.*?)\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Command:
    """`name` is one of `COMMANDS`, or `START`; `argument` is what stands behind it: for `START` the mode that a link
    asks for."""

    name: str
    argument: str = ""


def parse_command(words: str) -> Command | None:
    """The command in `words`, from which the adapter took its trigger (`!`, `/`, `/glimt`, a mention).

    None: it is no command, so perhaps a question. Where there is no trigger, as behind a mention, the adapter may want
    to take only a command that stands alone: `argument` is empty then.
    """
    match = _WORDS.fullmatch(words)
    if match is None:
        return None
    name = match[1].lower()
    name = _ALSO.get(name, name)
    return Command(name, match[2]) if name in COMMANDS or name == START else None


class Commands:
    """Executes commands and buttons."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def run(self, caller: Caller, command: Command) -> Reply:
        """Do what was asked. What cannot be done is said in the reply.

        Raises:
            StoreError: the database is away; nothing, or not all of it, was done.
        """
        where = await asyncio.to_thread(find_caller, self._services.store, caller)
        try:
            return await self._run(caller, where, command)
        except RequestError as error:
            return Reply(where.texts.error(error), done=False)

    async def press(self, caller: Caller, value: str) -> Reply | None:
        """Do what a button says (`Button.value`); None: it is no button of ours.

        Raises:
            StoreError: as `run`.
        """
        action = read_action(value)
        if action is None:
            return None
        where = await asyncio.to_thread(find_caller, self._services.store, caller)
        try:
            return await self._press(caller, where, action)
        except RequestError as error:
            return Reply(where.texts.error(error), done=False)

    async def _run(self, caller: Caller, where: Whereabouts, command: Command) -> Reply:
        services = self._services
        match command.name:
            case "new":
                return await steering.begin_anew(services, caller, where)
            case "stop":
                return await steering.stop_all(services, where)
            case "retry":
                return await steering.retry(services, where)
            case "human":
                return await steering.hand_over(services, caller, where)
            case "mode":
                return await choices.choose_mode(services, caller, where, command.argument)
            case "lang":
                return await choices.choose_language(services, where, command.argument)
            case "usage":
                return await my_data.usage(services, where)
            case "privacy":
                return await my_data.privacy(services, where)
            case "forget":
                return my_data.ask_before_forgetting(where)
            case "start" if choices.find_persona(choices.effective_at(services, caller), command.argument):
                chosen = await choices.choose_mode(services, caller, where, command.argument)
                return replace(chosen, text=f"{chosen.text}\n\n{help_text(where.texts)}")
            case _:
                return Reply(help_text(where.texts))

    async def _press(self, caller: Caller, where: Whereabouts, action: Action) -> Reply | None:
        services, argument = self._services, action.argument
        match action.name:
            case actions.STOP:
                return await steering.stop_one(services, where, argument)
            case actions.AGAIN:
                return await steering.retry_one(services, where, argument)
            case actions.RELEASE:
                return await steering.let_answer(services, caller, where, argument)
            case actions.THUMBS_UP:
                return await feedback.rate(services, where, argument, 1)
            case actions.THUMBS_DOWN:
                return await feedback.rate(services, where, argument, -1)
            case actions.WHY if action.choice in feedback.REASONS:
                return await feedback.rate(services, where, argument, -1, action.choice)
            case actions.FORGET:
                return await my_data.forget(services, where, action)
            case actions.MODE:
                return await choices.choose_mode(services, caller, where, argument)
            case actions.LANGUAGE:
                return await choices.choose_language(services, where, argument)
        return None


def help_text(texts: Texts) -> str:
    """What Glimt is and which commands there are, in Markdown."""
    head = texts(
        "Send me one or more pictures (or a PDF) with a question, and then ask on: I remember the conversation. "
        "Besides, I know these words:"
    )
    return "\n".join([head, "", *(f"- **{name}** – {texts(what)}" for name, what in COMMANDS.items())])
