"""References → pictures: everything that is fetched after a question was acknowledged."""

import asyncio
from collections.abc import Mapping
from typing import Any

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bots.services import Services
from bots.slack import lookups
from bots.slack.clients import Clients
from bots.slack.download import Downloader
from bots.slack.files import merged, shown_name
from bots.slack.message import File
from bots.slack.target import Target
from bots.slack.words import plain
from core.conversation.changes import replace_question
from core.conversation.gathering import Gathered, finish_gathering
from core.conversation.inbound import Named, Refused
from core.errors import GlimtError, NotAllowed, PictureError, PictureTooLarge, StoreError
from core.media.limits import too_large
from core.store.models import Attachment, Turn
from core.values import AttachmentState, TurnState

log = structlog.get_logger(__name__)

# Files that are fetched at once, of all questions.
FETCHES = 16
_THUMBS = ("thumb_1024", "thumb_960", "thumb_720", "thumb_480", "thumb_360")
_STORE_PAUSE_S = 2.0


class Gatherer:
    """Fetches the files of turns that are gathering and makes them ready."""

    def __init__(self, services: Services, clients: Clients, downloader: Downloader) -> None:
        self._services = services
        self._clients = clients
        self._downloader = downloader
        self._slots = asyncio.Semaphore(FETCHES)

    async def gather(self, turn_id: str) -> None:
        """Until the turn is ready, or over. Once begun it is safe to be cut off: it is then done anew."""
        while True:
            try:
                if await self._once(turn_id) is not Gathered.MORE:
                    return
            except StoreError as error:
                log.warning("gathering_waits", error=error.code)
                await asyncio.sleep(_STORE_PAUSE_S)

    async def _once(self, turn_id: str) -> Gathered:
        turn, target = await asyncio.to_thread(self._load, turn_id)
        if turn is None or target is None or turn.state != TurnState.GATHERING:
            return Gathered.OVER
        pending = [a for a in turn.attachments if a.state == AttachmentState.PENDING]
        files = await self._files(target, pending)
        if not turn.question.strip() and target.root != target.asked:
            await self._ask_as_root(turn_id, target)
        result = await asyncio.to_thread(
            finish_gathering,
            self._services.store,
            self._services.blobs,
            turn_id,
            [a.id for a in pending],
            files,
            self._services.settings.pictures_per_turn,
        )
        if result is Gathered.READY:
            self._services.announcer.hint(turn.person_id, turn.conversation_id)
        return result

    def _load(self, turn_id: str) -> tuple[Turn | None, Target | None]:
        with self._services.store.read() as repositories:
            turn = repositories.turns.get(turn_id)
            delivery = repositories.deliveries.of_turn(turn_id)
        return turn, Target.read(delivery.target) if delivery is not None else None

    async def _ask_as_root(self, turn_id: str, target: Target) -> None:
        """Somebody only called us into the thread: the question is what the thread began with."""
        installed = await self._clients.installed(target.team)
        said = await lookups.root_text(await self._clients.of(target.team), target.thread)
        if question := plain(said, installed.bot_user):
            most = self._services.settings.question_max_chars
            await asyncio.to_thread(replace_question, self._services.store, turn_id, question[:most])

    async def _files(self, target: Target, pending: list[Attachment]) -> list[Named | Refused]:
        try:
            client = await self._clients.of(target.team)
        except NotAllowed as error:
            return [Refused(a.name, error.code, "The app is not installed here any more.") for a in pending]
        known = [a.source["file"] for a in pending if "file" in a.source]
        looked: dict[str, list[File]] = {"thread": [], "message": []}
        refused: list[Named | Refused] = []
        for attachment in pending:
            if "look" in attachment.source:
                try:
                    found = await self._look(client, target, attachment.source)
                    looked[attachment.source["look"]] += found
                except PictureError as error:
                    refused.append(Refused(attachment.name, error.code, error.user_message))
        # What was there before comes first, as in the thread.
        files = merged(looked["thread"], looked["message"], known)
        read = await asyncio.gather(*(self._read(client, target, file) for file in files))
        return [one for several in read for one in several] + refused

    async def _look(self, client: AsyncWebClient, target: Target, source: Mapping[str, Any]) -> list[File]:
        if source["look"] == "thread":
            return await lookups.earlier_files(client, target.thread, source["ts"])
        return await lookups.message_files(client, target.thread, source["ts"], expected=bool(source["expected"]))

    async def _read(self, client: AsyncWebClient, target: Target, file: File) -> list[Named | Refused]:
        name = shown_name(file)
        async with self._slots:
            try:
                file = await self._complete(client, file)
                name = shown_name(file)
                return await self._best(client, target, name, file)
            except GlimtError as error:
                return [Refused(name, error.code, error.user_message)]
            except Exception:
                # One file must not keep the question, and the others, waiting for ever.
                log.exception("slack_file_error")
                return [Refused(name, GlimtError.code, GlimtError.user_message)]

    async def _complete(self, client: AsyncWebClient, file: File) -> File:
        """The file object with its addresses, or why there is none."""
        if (file.get("file_access") == "check_file_info" or not _address(file)) and file.get("id"):
            file = {**file, **await lookups.file_info(client, str(file["id"]))}
        access, mode = file.get("file_access"), file.get("mode")
        if mode == "hidden_by_limit":
            raise PictureError(user_message="Slack hides it, because the workspace is over its storage limit.")
        if access in ("access_denied", "file_not_found") or mode == "tombstone":
            raise PictureError(user_message="Slack does not let me see it, or it was deleted. Please send it again.")
        if file.get("is_external") or mode == "external":
            raise PictureError(
                user_message="It is not stored in Slack itself, so it is not fetched. Please upload the picture here."
            )
        if str(file.get("mimetype") or "").startswith("text/"):
            raise PictureError(user_message="This is a text. Please send a picture or a PDF, or paste the words.")
        return file

    async def _best(self, client: AsyncWebClient, target: Target, name: str, file: File) -> list[Named | Refused]:
        """The file's pictures; where it cannot be read itself, the preview that Slack made of a picture."""
        problem: list[Named | Refused] = []
        for address in (_address(file), *_previews(file)):
            if not address:
                continue
            is_original = address == _address(file)
            try:
                if is_original and int(file.get("size") or 0) > (most := self._services.settings.picture_max_bytes):
                    raise too_large(most)
                data = await self._downloader.fetch(address, client.token or "")
            except PictureError as error:
                problem = problem or [Refused(name, error.code, error.user_message)]
                if not isinstance(error, PictureTooLarge):
                    return problem
                continue
            person = f"{target.team}:{target.user}"
            named, refused = await self._services.pictures.read(person, name, data)
            if named:
                return list(named)
            problem = problem or list(refused)
        return problem or [Refused(name, PictureError.code, "Slack names no place to fetch it from.")]


def _address(file: File) -> str:
    return str(file.get("url_private_download") or file.get("url_private") or "")


def _previews(file: File) -> list[str]:
    """Addresses of previews, the largest first; of pictures only, because one frame is no video."""
    if not str(file.get("mimetype") or "image/").startswith("image/"):
        return []
    return [str(file[size]) for size in _THUMBS if file.get(size)][:1]
