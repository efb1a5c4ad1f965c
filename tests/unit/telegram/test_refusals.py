"""What Telegram's refusals mean: again, never, or nobody knows."""

import pytest
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter, TelegramError, TimedOut

from bots.chat.platform import PostGone, SendRefused
from bots.telegram.refusals import as_failure, is_ambiguous

PAGE = "Forbidden (403). Parsing the server response b'<html>blocked</html>' failed"


@pytest.mark.parametrize("error", [TimedOut(), NetworkError("Bad Gateway"), TelegramError("Invalid server response")])
def test_where_no_answer_was_read_nobody_knows(error: TelegramError) -> None:
    assert is_ambiguous(error)
    assert as_failure(error).retryable


@pytest.mark.parametrize("error", [BadRequest("chat not found"), Forbidden("bot was blocked"), RetryAfter(3)])
def test_a_refusal_is_no_doubt(error: TelegramError) -> None:
    assert not is_ambiguous(error)


def test_what_a_proxy_says_is_no_word_of_telegrams() -> None:
    for error in (Forbidden(PAGE), BadRequest(PAGE + " chat not found")):
        failure = as_failure(error)
        assert failure.retryable
        assert not isinstance(failure, (SendRefused, PostGone))
    assert isinstance(as_failure(Forbidden("Forbidden: bot was blocked by the user")), SendRefused)
