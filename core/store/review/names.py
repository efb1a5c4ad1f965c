"""What people are called in the console."""

from core.store.models import Person

_BROWSER = "browser:"
_SHOWN = 6


def shown_name(person: Person) -> str:
    """The name, or else the platform's id; a browser without a key is told from others by the end of its id."""
    if person.display_name:
        return person.display_name
    if person.external_id.startswith(_BROWSER):
        return f"browser {person.external_id[-_SHOWN:]}"
    return person.external_id
