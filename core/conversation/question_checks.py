"""What a question must be so that it can be taken, whoever asks."""

from core.conversation.inbound import InboundQuestion
from core.errors import EmptyQuestion, QuestionTooLong, TooManyPictures
from core.settings import Settings


def check_question(inbound: InboundQuestion, settings: Settings) -> None:
    """Look at the question alone.

    Raises:
        EmptyQuestion, QuestionTooLong, TooManyPictures: it cannot be taken.
    """
    files = len(inbound.pictures) + len(inbound.refused) + len(inbound.pending)
    if not inbound.question.strip() and not files:
        raise EmptyQuestion
    if len(inbound.question) > (most := settings.question_max_chars):
        raise QuestionTooLong(user_message=f"The question is too long. Please keep it below {most:,} characters.")
    pictures = len(inbound.pictures) + sum(pending.counts for pending in inbound.pending)
    if pictures > (most := settings.pictures_per_turn):
        raise TooManyPictures(
            user_message=f"These files have {pictures} pictures; each page of a document counts as one. "
            f"Please send at most {most} with one question."
        )
