"""What an admin may be called."""

from core.errors import WrongParameter

NAME_MAX_CHARS = 100
EMAIL_MAX_CHARS = 255


def checked_name(name: str) -> str:
    """A name that an admin may have.

    Raises:
        WrongParameter: it is none.
    """
    if not name or len(name) > NAME_MAX_CHARS or not name.isprintable() or name != name.strip():
        raise WrongParameter("name", f"An admin's name has 1 to {NAME_MAX_CHARS} printable characters.")
    return name


def checked_email(email: str) -> str:
    """An address, in lower case, or nothing.

    Raises:
        WrongParameter: it is none.
    """
    before, at, behind = email.rpartition("@")
    wrong = not (at and before and behind) or not email.isprintable() or " " in email or len(email) > EMAIL_MAX_CHARS
    if email and wrong:
        raise WrongParameter("email", f"{email} is no e-mail address.")
    return email.lower()
