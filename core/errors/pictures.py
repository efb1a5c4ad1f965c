"""One picture cannot be used, or none can be read at the moment."""

from core.errors.base import GlimtError
from core.errors.requests import RequestError


class PictureError(RequestError):
    """One picture cannot be used. `user_message` names no file; the caller adds the name it knows."""

    code = "picture_unreadable"
    user_message = "This picture could not be read. Please send it as JPEG or PNG."


class PictureTooLarge(PictureError):
    """More bytes than the setting allows."""

    code = "picture_too_large"
    user_message = "This file is too large. Please send a smaller version."


class PictureTooManyPixels(PictureError):
    """More pixels than the setting allows; decided from the header, before decoding."""

    code = "picture_too_many_pixels"
    user_message = "This picture has too many pixels. Please send a smaller version."


class TooManyPages(PictureError):
    """A PDF or TIFF with more pages than the setting allows."""

    code = "too_many_pages"
    user_message = "This file has too many pages. Please send only the pages that matter."


class PictureFormatNotAllowed(PictureError):
    """The bytes are of no format on the allow-list, whatever the name says."""

    code = "picture_format"
    user_message = (
        "This kind of file is not supported. Send JPEG, PNG, WebP, GIF, BMP, TIFF, HEIC, AVIF or PDF instead."
    )


class PictureLocked(PictureError):
    """A PDF that cannot be opened without its password."""

    code = "picture_locked"
    user_message = "This PDF is protected with a password. Please send it without one."


class PictureBroken(PictureError):
    """The format is known but the bytes do not decode."""

    code = "picture_broken"
    user_message = "This file is damaged or incomplete. Please send it again."


class PictureRemoved(PictureError):
    """It was there; a rule of retention has removed it."""

    code = "picture_removed"
    user_message = "This picture was removed, because pictures are kept here for some time only."


class PictureReaderUnavailable(GlimtError):
    """No reader process could be started. Nothing is wrong with the picture."""

    code = "picture_reader"
    retryable = True
    user_message = "Pictures cannot be read right now. Please try again in a moment."
