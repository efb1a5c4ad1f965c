"""How updates, files and presses reach the bot: webhook, getFile, answerCallbackQuery."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fakes.telegram.files import CLOUD_LIMIT, LINK_SECONDS
from tests.fakes.telegram.refusal import Refusal
from tests.fakes.telegram.state import Json

if TYPE_CHECKING:
    from tests.fakes.telegram.fake import FakeTelegram

_ANSWER = 200


def _set_webhook(fake: FakeTelegram, arguments: Json) -> bool:
    fake.webhook.set(arguments)
    return True


def _delete_webhook(fake: FakeTelegram, arguments: Json) -> bool:
    fake.webhook.set({"drop_pending_updates": arguments.get("drop_pending_updates", False)})
    return True


def _webhook_info(fake: FakeTelegram, arguments: Json) -> Json:
    return fake.webhook.info()


def _get_file(fake: FakeTelegram, arguments: Json) -> Json:
    file = fake.world.file(arguments["file_id"], "invalid file_id")
    if file.download == "unavailable":
        raise Refusal("wrong file_id or the file is temporarily unavailable")
    if file.size > CLOUD_LIMIT and not fake.local:
        raise Refusal("file is too big")
    if not file.path:
        number = next(fake.world.numbers)
        ending = file.name.rpartition(".")[2] if "." in file.name else file.media_type.rpartition("/")[2]
        file.path = f"{file.folder}/file_{number}.{ending.replace('jpeg', 'jpg')}"
    # A new call makes the link good for another hour.
    file.expires = fake.clock.now() + LINK_SECONDS
    fake.paths[file.path] = file
    path = str(fake.on_disk(file)) if fake.local else file.path
    return {"file_id": file.id, "file_unique_id": file.unique_id, "file_size": file.size, "file_path": path}


def _answer(fake: FakeTelegram, arguments: Json) -> bool:
    text = arguments.get("text", "")
    if len(text) > _ANSWER:
        raise Refusal("MESSAGE_TOO_LONG", fault=f"an answer of {len(text)} characters to a press")
    press = fake.presses.get(arguments["callback_query_id"])
    late = press is not None and press.at + fake.press_seconds < fake.clock.now()
    if press is None or late or press.answered:
        raise Refusal("query is too old and response timeout expired or query ID is invalid")
    press.answered, press.text, press.alert = True, text, bool(arguments.get("show_alert"))
    return True


HANDLERS = {
    "setWebhook": _set_webhook,
    "deleteWebhook": _delete_webhook,
    "getWebhookInfo": _webhook_info,
    "getFile": _get_file,
    "answerCallbackQuery": _answer,
}
