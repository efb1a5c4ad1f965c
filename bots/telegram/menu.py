"""The list of commands that Telegram shows, by kind of chat and language; set at start where it differs."""

from collections.abc import Sequence

import structlog
from telegram import (
    Bot,
    BotCommand,
    BotCommandScope,
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeDefault,
)

from bots.chat.commands import COMMANDS
from bots.chat.texts import ENGLISH, LANGUAGES, text_id, texts_for
from bots.telegram.listening import ASK
from bots.telegram.refusals import FAILURES, error_code

log = structlog.get_logger(__name__)

_ASK = text_id("asks about the picture that you reply to")
# What concerns one person alone is offered where nobody else reads it.
_PERSONAL = ("usage", "lang", "privacy", "forget")
_PLACES: tuple[tuple[BotCommandScope, bool], ...] = (
    (BotCommandScopeDefault(), False),
    (BotCommandScopeAllPrivateChats(), False),
    (BotCommandScopeAllGroupChats(), True),
    (BotCommandScopeAllChatAdministrators(), True),
)


def commands_for(language: str, *, in_groups: bool) -> list[BotCommand]:
    """What is offered to people of this language."""
    texts = texts_for(language)
    asking = [BotCommand(ASK, texts(_ASK))] if in_groups else []
    return asking + [
        BotCommand(name, texts(what)) for name, what in COMMANDS.items() if not (in_groups and name in _PERSONAL)
    ]


async def set_menu(bot: Bot) -> None:
    """Make Telegram show these commands. What fails is logged: people can type all of them."""
    try:
        for scope, in_groups in _PLACES:
            for language in LANGUAGES:
                # English is for everybody who reads none of the others.
                code = None if language == ENGLISH else language
                await _set(bot, scope, code, commands_for(language, in_groups=in_groups))
    except FAILURES as error:
        log.warning("telegram_menu_not_set", error=error_code(error))


async def _set(bot: Bot, scope: BotCommandScope, code: str | None, wanted: Sequence[BotCommand]) -> None:
    shown = await bot.get_my_commands(scope=scope, language_code=code)
    if list(shown) != list(wanted):
        await bot.set_my_commands(wanted, scope=scope, language_code=code)
