"""Multipart bodies of the chat page → questions."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from bots.web.auth import Visitor
from bots.web.keys import WORKSPACE
from bots.web.parts import Parts
from bots.web.text import clean, file_name, known_id, plain_lines
from core.conversation.inbound import InboundQuestion, Named, Refused
from core.errors import PictureError, QuestionTooLong, RequestError, TooManyPictures, WrongParameter
from core.media.limits import too_large
from core.settings import MIB
from core.values import Platform
from serving.client import unless_gone

_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")


class Uploads:
    """Reads and checks the forms."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._settings = parts.services.settings

    async def question(self, request: Request, visitor: Visitor) -> InboundQuestion:
        """Read and check the form.

        Raises:
            RequestError: it is too large, incomplete or not a form; or not one of its files can be read.
        """
        if not request.headers.get("content-type", "").startswith("multipart/form-data"):
            raise RequestError(user_message="Send the question as multipart/form-data.")
        with self._parts.bodies.admit(request, self._parts.bodies.upload_limit) as admitted:
            async with self._form(admitted) as form:
                files = [part for part in form.getlist("pictures") if isinstance(part, UploadFile)]
                if len(files) > self._settings.pictures_per_turn:
                    raise self._too_many()
                named, refused = await unless_gone(request.receive, self._read(files, visitor))
                return self._inbound(form, visitor, named, refused)

    @asynccontextmanager
    async def _form(self, admitted: Request) -> AsyncIterator[FormData]:
        most_chars = self._settings.question_max_chars
        try:
            form = await admitted.form(
                # One more than allowed, because some clients send an empty file where they have none.
                max_files=self._settings.pictures_per_turn + 1,
                # Room for the fields that we know and some that we do not.
                max_fields=16,
                # No character takes more than four bytes.
                max_part_size=max(MIB, 4 * most_chars),
            )
        except HTTPException as error:
            # Starlette tells its reasons apart by their words only.
            if error.detail.startswith("Too many files"):
                raise self._too_many() from error
            if error.detail.startswith("Part exceeded"):
                raise QuestionTooLong(
                    user_message=f"The question is too long. Please keep it below {most_chars:,} characters."
                ) from error
            raise RequestError(
                user_message=f"The question did not arrive as a whole form ({error.detail.rstrip('.')}). "
                "Please reload the page and send it again."
            ) from error
        try:
            yield form
        finally:
            await form.close()

    def _too_many(self) -> TooManyPictures:
        return TooManyPictures(
            user_message=f"Please send at most {self._settings.pictures_per_turn} pictures with one question."
        )

    async def _read(self, files: list[UploadFile], visitor: Visitor) -> tuple[list[Named], list[Refused]]:
        all_named: list[Named] = []
        all_refused: list[Refused] = []
        for file in files:
            name = file_name(file.filename)
            if (file.size or 0) > (most := self._settings.picture_max_bytes):
                error = too_large(most)
                all_refused.append(Refused(name, error.code, error.user_message))
                continue
            named, refused = await self._parts.services.pictures.read(visitor.person, name, await file.read())
            all_named += named
            all_refused += refused
        if all_refused and not all_named:
            raise PictureError(user_message=" ".join(f"{r.name}: {r.message}" for r in all_refused))
        return all_named, all_refused

    def _inbound(self, form: FormData, visitor: Visitor, named: list[Named], refused: list[Refused]) -> InboundQuestion:
        client_id = _field(form, "client_id")
        if not _CLIENT_ID.fullmatch(client_id):
            raise WrongParameter("client_id", "client_id must be 8 to 64 letters, digits, - or _.")
        conversation_id = _field(form, "conversation_id")
        return InboundQuestion(
            platform=Platform.WEB,
            workspace=WORKSPACE,
            person=visitor.person,
            # The page chooses its ids, so they count only for the same person.
            event_key=f"{visitor.person_id}:{client_id}",
            question=plain_lines(clean(_field(form, "question"))),
            conversation_id=known_id(conversation_id) if conversation_id else None,
            pictures=tuple(named),
            refused=tuple(refused),
        )


def _field(form: FormData, name: str) -> str:
    value = form.get(name, "")
    if not isinstance(value, str):
        raise WrongParameter(name, f"{name} must be text, not a file.")
    return value
