"""The app as Slack must know it: scopes, events, commands. `glimt slack manifest` prints it, `glimt doctor slack`
compares with it.

Limits are those of Slack's own JSON schema, version 2 (slackapi/manifest-schema, read).
"""

from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

from core.errors import ConfigurationError

EVENTS_PATH = "/slack/events"
INSTALL_PATH = "/slack/install"
REDIRECT_PATH = "/slack/oauth_redirect"

COMMAND = "/glimt"
# `callback_id` of the message shortcut.
SHORTCUT = "ask_about_picture"

# What the calls and the events need, and no more: a test compares with the code.
BOT_SCOPES = (
    "app_mentions:read",
    "assistant:write",
    "channels:history",
    "channels:read",
    "chat:write",
    "commands",
    "files:read",
    "files:write",
    "groups:history",
    "groups:read",
    "im:history",
    "im:read",
    "mpim:history",
    "mpim:read",
    "users:read",
)
BOT_EVENTS = (
    "agent_session_stopped",
    "app_home_opened",
    "app_mention",
    "app_uninstalled",
    "message.channels",
    "message.groups",
    "message.im",
    "message.mpim",
    "tokens_revoked",
)
NAME_CHARS = 35

Language = Literal["en", "zh"]
Transport = Literal["socket", "http"]

_WORDS: Mapping[Language, Mapping[str, Any]] = {
    "en": {
        "description": "Answers questions about pictures, on your own hardware.",
        "long": (
            "Post a picture and ask about it: in a direct message, by mentioning me in a channel, or with the shortcut "
            "on any message. A vision-language model on your own machines answers in the thread, and follow-up "
            "questions go on from there. No picture leaves your machines."
        ),
        "prompts": (
            ("What is in this picture?", "What is in this picture?"),
            ("Read the text", "Write down all the text in this picture."),
            ("Find what is wrong", "What is wrong in this screenshot, and what should I do about it?"),
            ("Compare pictures", "What is different between these pictures?"),
        ),
        "shortcut": ("Ask about this picture", "Asks a question about the pictures of a message."),
        "command": "Help, new conversation, stop, mode, usage, privacy",
        "hint": "help | new | stop | retry | mode | usage | privacy | forget | human",
    },
    "zh": {
        "description": "在你自己的硬件上回答关于图片的问题。",
        "long": (
            "发一张图片并提出问题：可以私信，可以在频道里提及我，也可以对任何一条消息使用快捷方式。"
            "运行在你们自己机器上的视觉语言模型会在消息列里回答，接着追问即可，我记得前面说过的内容。"
            "图片不会离开你们的机器。我可以描述图片、读出其中的文字、解释截图里的错误、比较几张图片、整理票据和表格，"
            "也能读 PDF 和 HEIC。每条消息可以带多张图片；读不了的文件我会逐一说明原因。"
            "随时可以停止、重试或删除你的对话。"
        ),
        "prompts": (
            ("图片里有什么？", "这张图片里有什么？"),
            ("读出文字", "请写出这张图片里的所有文字。"),
            ("找出问题", "这张截图里哪里出错了？我该怎么办？"),
            ("比较图片", "这几张图片有什么不同？"),
        ),
        "shortcut": ("询问这张图片", "对一条消息里的图片提问。"),
        "command": "帮助、新对话、停止、模式、用量、隐私",
        "hint": "help | new | stop | retry | mode | usage | privacy | forget | human",
    },
}


def build_manifest(
    *,
    name: str = "Glimt",
    language: Language = "en",
    transport: Transport = "socket",
    url: str = "",
    many: bool = False,
) -> dict[str, Any]:
    """The manifest for "Create an app" → "From a manifest".

    `url` is where Slack and browsers reach this installation from outside; HTTP and `many` need it. `many`: any
    number of workspaces install the app by OAuth, with tokens that expire and are renewed.

    Raises:
        ConfigurationError: `name` or `url` is none that Slack takes.
    """
    if not 1 <= len(name) <= NAME_CHARS:
        raise ConfigurationError(f"The name of a Slack app has 1 to {NAME_CHARS} characters.")
    base = url.rstrip("/")
    if transport == "http" or many:
        _check_url(base)
    words = _WORDS[language]
    command: dict[str, Any] = {
        "command": COMMAND,
        "description": words["command"],
        "usage_hint": words["hint"],
        "should_escape": False,
    }
    events: dict[str, Any] = {"bot_events": list(BOT_EVENTS)}
    interactivity: dict[str, Any] = {"is_enabled": True}
    if transport == "http":
        events["request_url"] = interactivity["request_url"] = command["url"] = base + EVENTS_PATH
    oauth: dict[str, Any] = {"scopes": {"bot": list(BOT_SCOPES)}}
    if many:
        oauth["redirect_urls"] = [base + REDIRECT_PATH]
    shortcut_name, shortcut_says = words["shortcut"]
    return {
        "_metadata": {"major_version": 2, "minor_version": 1},
        "display_information": {
            "name": name,
            "description": words["description"],
            "long_description": words["long"],
            "background_color": "#17324d",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": name, "always_online": True},
            "agent_view": {
                "agent_description": words["description"],
                "suggested_prompts": [{"title": title, "message": text} for title, text in words["prompts"]],
            },
            "shortcuts": [
                {"name": shortcut_name, "type": "message", "callback_id": SHORTCUT, "description": shortcut_says}
            ],
            "slash_commands": [command],
        },
        "oauth_config": oauth,
        "settings": {
            "event_subscriptions": events,
            "interactivity": interactivity,
            # An installation belongs to one workspace: that is the border between tenants.
            "org_deploy_enabled": False,
            "socket_mode_enabled": transport == "socket",
            # A token in the environment could not be renewed, and Slack never turns this off again.
            "token_rotation_enabled": many,
        },
    }


def suggested_prompts(language: str) -> tuple[tuple[str, str], ...]:
    """(title, message) of what people may begin with; in English where we do not speak the language."""
    words = _WORDS["zh"] if language == "zh" else _WORDS["en"]
    prompts: tuple[tuple[str, str], ...] = words["prompts"]
    return prompts


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme != "https" or not parts.hostname or parts.query or parts.fragment:
        raise ConfigurationError(
            "Slack needs the https address under which it reaches this installation: --url https://glimt.example.org "
            "(or GLIMT_PUBLIC_URL). Without one, use Socket Mode: --transport socket."
        )
