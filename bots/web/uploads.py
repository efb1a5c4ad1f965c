"""Multipart bodies of the chat page → questions."""

import re

from starlette.datastructures import FormData
from starlette.requests import Request

from bots.web.auth import Visitor
from bots.web.keys import WORKSPACE
from bots.web.parts import Parts
from core.conversation.inbound import InboundQuestion, Named, Refused
from core.errors import WrongParameter
from core.values import Platform
from serving.client import unless_gone
from serving.multipart import FormLimits, field_of, files_of, open_form, read_files
from serving.text import clean, known_id, plain_lines

_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")


class Uploads:
    """Reads and checks the forms."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._settings = settings = parts.services.settings
        self._limits = FormLimits(
            settings.pictures_per_turn,
            settings.question_max_chars,
            too_many=f"Please send at most {settings.pictures_per_turn} pictures with one question.",
            too_long=f"The question is too long. Please keep it below {settings.question_max_chars:,} characters.",
        )

    async def question(self, request: Request, visitor: Visitor) -> InboundQuestion:
        """Read and check the form.

        Raises:
            RequestError: it is too large, incomplete or not a form; or not one of its files can be read.
        """
        with self._parts.bodies.admit(request, self._parts.bodies.upload_limit) as admitted:
            async with open_form(admitted, self._limits) as form:
                files = files_of(form, "pictures", self._limits)
                reader, largest = self._parts.services.pictures, self._settings.picture_max_bytes
                reading = read_files(files, reader, visitor.person, largest)
                named, refused = await unless_gone(request.receive, reading)
                return self._inbound(form, visitor, named, refused)

    def _inbound(self, form: FormData, visitor: Visitor, named: list[Named], refused: list[Refused]) -> InboundQuestion:
        client_id = field_of(form, "client_id")
        if not _CLIENT_ID.fullmatch(client_id):
            raise WrongParameter("client_id", "client_id must be 8 to 64 letters, digits, - or _.")
        conversation_id = field_of(form, "conversation_id")
        return InboundQuestion(
            platform=Platform.WEB,
            workspace=WORKSPACE,
            person=visitor.person,
            # The page chooses its ids, so they count only for the same person.
            event_key=f"{visitor.person_id}:{client_id}",
            question=plain_lines(clean(field_of(form, "question"))),
            conversation_id=known_id(conversation_id) if conversation_id else None,
            pictures=tuple(named),
            refused=tuple(refused),
        )
