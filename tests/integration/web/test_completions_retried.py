"""A worker that begins an answer again, when the client of a stream has words of the first attempt already."""

from collections.abc import Iterator

import openai
import pytest
from openai.types.chat import ChatCompletionChunk

from core.store.outcome import Outcome
from core.values import TurnState, utc_now
from tests.integration.web.site import Site
from tests.processes import until


def begin(site: Site, question: str) -> Iterator[ChatCompletionChunk]:
    chunks = iter(
        site.openai().chat.completions.create(
            model="scripted:echo", messages=[{"role": "user", "content": question}], stream=True
        )
    )
    assert next(chunks).choices[0].delta.role == "assistant"
    return chunks


def said(chunk: ChatCompletionChunk) -> str | None:
    return chunk.choices[0].delta.content


def test_the_same_words_again_are_not_sent_twice(site: Site) -> None:
    chunks = begin(site, "Same again?")
    work = site.take("Same again?").say("A red ")
    assert said(next(chunks)) == "A red "
    again = work.retry("Once more.").say("A ").say("red squ").say("are.")
    assert said(next(chunks)) == "squ"
    assert said(next(chunks)) == "are."
    again.answer("A red square.")
    (end,) = chunks
    assert end.choices[0].finish_reason == "stop"


def test_other_words_end_the_stream_with_an_error_and_stop_the_worker(site: Site) -> None:
    chunks = begin(site, "Other words?")
    work = site.take("Other words?").say("A red ")
    assert said(next(chunks)) == "A red "
    again = work.retry("Once more.").say("A blue")
    with pytest.raises(openai.APIError, match="came out differently") as caught:
        next(chunks)
    assert caught.value.code == "answer_changed"
    until(again.stop_requested, "the worker is asked to stop")


def test_a_shorter_second_answer_ends_well(site: Site) -> None:
    chunks = begin(site, "Shorter?")
    work = site.take("Shorter?").say("A red square")
    assert said(next(chunks)) == "A red square"
    work.retry("Once more.").say("A red").answer("A red")
    (end,) = chunks
    assert (said(end), end.choices[0].finish_reason) == (None, "stop")


def test_an_answer_in_sql_that_differs_is_an_error_too(site: Site) -> None:
    chunks = begin(site, "Different in SQL?")
    work = site.take("Different in SQL?").say("A red ")
    assert said(next(chunks)) == "A red "
    work.answer("Nothing of the kind.")
    with pytest.raises(openai.APIError, match="came out differently"):
        list(chunks)


def test_other_thinking_is_left_out_and_the_answer_goes_on(site: Site) -> None:
    chunks = begin(site, "Other thoughts?")
    work = site.take("Other thoughts?").think("Red?")
    assert next(chunks).choices[0].delta.model_dump()["reasoning_content"] == "Red?"
    again = work.retry("Once more.").think("Blue!").think(" Or not.").say("Blue.")
    assert said(next(chunks)) == "Blue."
    again.answer("Blue.", thinking="Blue! Or not.")
    (end,) = chunks
    assert end.choices[0].finish_reason == "stop"


def test_nothing_said_yet_means_nothing_to_take_back(site: Site) -> None:
    chunks = begin(site, "Nothing yet?")
    site.take("Nothing yet?").retry("Once more.").say("Now.").answer("Now.")
    assert [said(chunk) for chunk in chunks] == ["Now.", None]


def test_when_redis_was_wiped_the_answer_comes_from_sql(site: Site) -> None:
    chunks = begin(site, "Wiped?")
    work = site.take("Wiped?").say("A red ")
    assert said(next(chunks)) == "A red "
    site.at.redis.flushall()
    with site.at.store.write() as repositories:
        outcome = Outcome(TurnState.ANSWERED, answer="A red square.", finish_reason="stop")
        repositories.turns.finish(work.turn.id, "the-test", work.turn.attempt, outcome, utc_now())
    assert [said(chunk) for chunk in chunks] == ["square.", None]
