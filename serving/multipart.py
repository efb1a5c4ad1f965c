"""Forms with files in them, within their limits."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from core.conversation.inbound import Named, Refused
from core.errors import PictureError, QuestionTooLong, RequestError, TooManyPictures, WrongParameter
from core.media.limits import too_large
from core.settings import MIB
from serving.picture_reader import PictureReader
from serving.text import file_name


@dataclass(frozen=True, slots=True)
class FormLimits:
    """What a form may hold, and what is said of more."""

    files: int
    chars: int
    too_many: str
    too_long: str


@asynccontextmanager
async def open_form(admitted: Request, limits: FormLimits) -> AsyncIterator[FormData]:
    """The form in a body that was admitted (`serving.bodies`); its files end with the block.

    Raises:
        RequestError: it is no whole form, or there is too much in it.
    """
    if not admitted.headers.get("content-type", "").startswith("multipart/form-data"):
        raise RequestError(user_message="Send this as multipart/form-data.")
    try:
        form = await admitted.form(
            # One more than allowed, because some clients send an empty file where they have none.
            max_files=limits.files + 1,
            # Room for the fields that we know and some that we do not.
            max_fields=16,
            # No character takes more than four bytes.
            max_part_size=max(MIB, 4 * limits.chars),
        )
    except HTTPException as error:
        # Starlette tells its reasons apart by their words only.
        if error.detail.startswith("Too many files"):
            raise TooManyPictures(user_message=limits.too_many) from error
        if error.detail.startswith("Part exceeded"):
            raise QuestionTooLong(user_message=limits.too_long) from error
        raise RequestError(
            user_message=f"This did not arrive as a whole form ({error.detail.rstrip('.')}). "
            "Please reload the page and send it again."
        ) from error
    try:
        yield form
    finally:
        await form.close()


def field_of(form: FormData, name: str) -> str:
    """The text of a field; empty where there is none.

    Raises:
        WrongParameter: it is a file.
    """
    value = form.get(name, "")
    if not isinstance(value, str):
        raise WrongParameter(name, f"{name} must be text, not a file.")
    return value


def files_of(form: FormData, name: str, limits: FormLimits) -> list[UploadFile]:
    """The files of a field; what a browser sends where none was chosen is none.

    Raises:
        TooManyPictures: more than allowed.
    """
    files = [part for part in form.getlist(name) if isinstance(part, UploadFile) and (part.filename or part.size)]
    if len(files) > limits.files:
        raise TooManyPictures(user_message=limits.too_many)
    return files


async def read_files(
    files: Sequence[UploadFile], reader: PictureReader, person: str, most_bytes: int
) -> tuple[list[Named], list[Refused]]:
    """The pictures in the files, and which of these are refused.

    Raises:
        PictureError: all of them are.
    """
    all_named: list[Named] = []
    all_refused: list[Refused] = []
    for file in files:
        name = file_name(file.filename)
        if (file.size or 0) > most_bytes:
            error = too_large(most_bytes)
            all_refused.append(Refused(name, error.code, error.user_message))
            continue
        named, refused = await reader.read(person, name, await file.read())
        all_named += named
        all_refused += refused
    if all_refused and not all_named:
        raise PictureError(user_message=" ".join(f"{r.name}: {r.message}" for r in all_refused))
    return all_named, all_refused
