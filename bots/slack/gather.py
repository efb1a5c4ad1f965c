"""References → pictures: everything that is fetched after a question was acknowledged."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bots.chat.background import Background
from bots.chat.gather import Gatherer
from bots.chat.texts import text_id
from bots.services import Services
from bots.slack import lookups
from bots.slack.clients import Clients
from bots.slack.download import Downloader
from bots.slack.files import EARLIER_FILES, merged, shown_name
from bots.slack.lookups import Earlier
from bots.slack.message import File
from bots.slack.target import Target
from bots.slack.words import plain
from core.conversation.changes import replace_question
from core.conversation.inbound import Named, Refused
from core.errors import GlimtError, NotAllowed, PictureError, PictureTooLarge
from core.media.limits import too_large
from core.store.models import Attachment, Turn
from core.values import Platform

log = structlog.get_logger(__name__)

# Files that are fetched at once, of all questions.
FETCHES = 16
_THUMBS = ("thumb_1024", "thumb_960", "thumb_720", "thumb_480", "thumb_360")
_NOT_INSTALLED = "The app is not installed here any more."
_LEFT_OUT = (
    "{n} older ones were left out, because there are too many for one question. Please ask about them separately."
)
_NOT_WHOLE = "The thread is too long to be read to its end. Please send the pictures that matter once more."
_GAVE_WAY = "There are too many pictures in this thread for one question. Please ask about it separately."


class SlackGatherer(Gatherer):
    """Fetches what turns in Slack refer to."""

    platform = Platform.SLACK
    not_in_time = text_id("Slack did not hand it out in time. Please send it again.")

    def __init__(self, services: Services, background: Background, clients: Clients, downloader: Downloader) -> None:
        super().__init__(services, background)
        self._clients = clients
        self._downloader = downloader
        self._slots = asyncio.Semaphore(FETCHES)

    async def fetch(
        self, turn: Turn, target: Mapping[str, Any], pending: Sequence[Attachment]
    ) -> list[Named | Refused]:
        """See `Gatherer.fetch`."""
        where = Target.read(target)
        files = await self._files(where, pending)
        if not turn.question.strip() and where.root != where.asked:
            await self._ask_as_root(turn.id, where)
        return files

    async def _ask_as_root(self, turn_id: str, target: Target) -> None:
        """Somebody only called us into the thread: the question is what the thread began with."""
        installed = await self._clients.installed(target.team)
        said = await lookups.root_text(await self._clients.of(target.team), target.thread)
        if question := plain(said, installed.bot_user):
            most = self._services.settings.question_max_chars
            await asyncio.to_thread(replace_question, self._services.store, turn_id, question[:most])

    async def _files(self, target: Target, pending: Sequence[Attachment]) -> list[Named | Refused]:
        """All files that a question is about, in the order of the thread: as many as are looked at with one question,
        the question's own first of all, then the root's, then the newest. What is left out is said."""
        try:
            client = await self._clients.of(target.team)
        except NotAllowed as error:
            return [Refused(a.name, error.code, _NOT_INSTALLED) for a in pending]
        own: list[File] = [a.source["file"] for a in pending if "file" in a.source]
        earlier = Earlier([], [], whole=True)
        refused: list[Named | Refused] = []
        for attachment in pending:
            source = attachment.source
            try:
                if source.get("look") == "thread":
                    earlier = await lookups.earlier_files(client, target.thread, source["ts"])
                elif source.get("look") == "message":
                    expected = bool(source["expected"])
                    own = [*await lookups.message_files(client, target.thread, source["ts"], expected=expected), *own]
            except PictureError as error:
                refused.append(Refused(attachment.name, error.code, error.user_message))
        own = merged(own)
        before, left_out = _chosen(earlier, own, self._services.settings.pictures_per_turn)
        read = await asyncio.gather(*(self._read(client, target, file) for file in [*before, *own]))
        results = _fitted(read[: len(before)], read[len(before) :], self._services.settings.pictures_per_turn)
        if left_out:
            refused.append(Refused(EARLIER_FILES, "too_many_pictures", _LEFT_OUT.format(n=left_out)))
        if not earlier.whole:
            refused.append(Refused(EARLIER_FILES, "thread_too_long", _NOT_WHOLE))
        return [one for several in results for one in several] + refused

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


def _chosen(earlier: Earlier, own: Sequence[File], most: int) -> tuple[list[File], int]:
    """Which files of the thread are fetched, in its order, and how many are not."""
    known = {file.get("id") for file in own}
    root = [file for file in merged(earlier.root) if file.get("id") not in known]
    replies = [file for file in merged(earlier.replies) if file.get("id") not in {f.get("id") for f in root} | known]
    room = max(0, most - len(own))
    kept_root = root[:room]
    room -= len(kept_root)
    kept = [*kept_root, *(replies[-room:] if room else [])]
    return kept, len(root) + len(replies) - len(kept)


def _fitted(
    before: Sequence[list[Named | Refused]], own: Sequence[list[Named | Refused]], most: int
) -> list[list[Named | Refused]]:
    """All of them, but that those of the thread give way, the root last: a document is as many pictures as pages."""

    def pictures(files: Sequence[list[Named | Refused]]) -> int:
        return sum(isinstance(one, Named) for file in files for one in file)

    room, kept = most - pictures(own), list(before)
    for number in [*range(1, len(kept)), *range(min(1, len(kept)))]:
        if pictures(kept) <= room:
            break
        named = [one for one in kept[number] if isinstance(one, Named)]
        if named:
            kept[number] = [Refused(named[0].name, "too_many_pictures", _GAVE_WAY)]
    return [*kept, *own]


def _address(file: File) -> str:
    return str(file.get("url_private_download") or file.get("url_private") or "")


def _previews(file: File) -> list[str]:
    """Addresses of previews, the largest first; of pictures only, because one frame is no video."""
    if not str(file.get("mimetype") or "image/").startswith("image/"):
        return []
    return [str(file[size]) for size in _THUMBS if file.get(size)][:1]
