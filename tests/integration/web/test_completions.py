"""OpenAI's own client against the REST API; the test is the worker."""

import base64
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletion

from core.conversation import digest
from core.queue.streams import Entry, stream_key, write_entries
from core.store.models import Turn
from core.values import TurnState
from tests.integration.web.site import Site, picture
from tests.processes import until

MODEL = "scripted:echo"


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as made:
        yield made


def create(pool: ThreadPoolExecutor, site: Site, *messages: Any, **options: Any) -> "Future[ChatCompletion]":
    client: Any = site.openai(max_retries=0)
    return pool.submit(client.chat.completions.create, model=MODEL, messages=list(messages), **options)


def streamed(site: Site, *messages: Any, **options: Any) -> Any:
    client: Any = site.openai(max_retries=0)
    return client.chat.completions.create(model=MODEL, messages=list(messages), stream=True, **options)


def user(text: str, *pictures: bytes) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [{"type": "text", "text": text}]
    for data in pictures:
        url = f"data:image/png;base64,{base64.b64encode(data).decode()}"
        parts.append({"type": "image_url", "image_url": {"url": url, "detail": "high"}})
    return {"role": "user", "content": parts if pictures else text}


def assistant(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


def turn_id(completion_id: str) -> str:
    return completion_id.removeprefix("chatcmpl-")


def test_the_models_are_listed(site: Site) -> None:
    client = site.openai()
    assert [model.id for model in client.models.list()] == [MODEL]
    assert client.models.retrieve(MODEL).id == MODEL
    with pytest.raises(openai.NotFoundError, match="scripted:echo"):
        client.models.retrieve("gpt-9")


def test_an_answer_at_once(site: Site, pool: ThreadPoolExecutor) -> None:
    asked = create(pool, site, user("At once?"))
    site.take("At once?").answer("Yes.")
    got = asked.result()
    assert got.object == "chat.completion"
    assert got.model == MODEL
    (choice,) = got.choices
    assert (choice.message.role, choice.message.content, choice.finish_reason) == ("assistant", "Yes.", "stop")
    assert got.usage is not None
    assert (got.usage.prompt_tokens, got.usage.completion_tokens, got.usage.total_tokens) == (30, 5, 35)
    assert got.usage.prompt_tokens_details is not None
    assert got.usage.prompt_tokens_details.cached_tokens == 10
    site.until_state(turn_id(got.id), TurnState.DELIVERED)
    assert site.delivery(turn_id(got.id)).state == "sent"


def test_options_reach_the_worker(site: Site, pool: ThreadPoolExecutor) -> None:
    options: dict[str, Any] = {"temperature": 0.5, "top_p": 0.9, "stop": "END", "seed": 7, "max_tokens": 20}
    extra = {"top_k": 5, "repetition_penalty": 1.1, "something_new": True}
    asked = create(pool, site, user("With options?"), **options, extra_body=extra)
    work = site.take("With options?")
    assert work.turn.options == {
        "temperature": 0.5,
        "top_p": 0.9,
        "stop": ["END"],
        "seed": 7,
        "max_new_tokens": 20,
        "top_k": 5,
        "repetition_penalty": 1.1,
    }
    work.answer("Yes", finish_reason="length")
    assert asked.result().choices[0].finish_reason == "length"


def test_more_tokens_than_allowed_are_cut_to_what_is(site: Site, pool: ThreadPoolExecutor) -> None:
    asked = create(pool, site, user("Many tokens?"), max_completion_tokens=10**9, max_tokens=5)
    work = site.take("Many tokens?")
    assert work.turn.options == {"max_new_tokens": site.settings.max_new_tokens}
    work.answer("Yes")
    assert asked.result().choices[0].message.content == "Yes"


def test_thinking_has_a_field_of_its_own(site: Site, pool: ThreadPoolExecutor) -> None:
    asked = create(pool, site, user("Thought through?"))
    site.take("Thought through?").answer("Yes.", thinking="Hm.")
    assert asked.result().choices[0].message.model_dump()["reasoning_content"] == "Hm."


def test_a_stream(site: Site) -> None:
    stream = streamed(site, user("Streamed?"), stream_options={"include_usage": True})
    chunks = iter(stream)
    first = next(chunks)
    assert (first.object, first.choices[0].delta.role, first.choices[0].delta.content) == (
        "chat.completion.chunk",
        "assistant",
        "",
    )
    work = site.take("Streamed?").think("Hm.")
    assert next(chunks).choices[0].delta.model_dump()["reasoning_content"] == "Hm."
    # Each piece arrives while the answer is still being made.
    work.say("A st")
    assert next(chunks).choices[0].delta.content == "A st"
    work.say("ar. ⭐")
    assert next(chunks).choices[0].delta.content == "ar. ⭐"
    assert site.metric('glimt_streams{channel="api"}') == 1
    work.answer("A star. ⭐", thinking="Hm.")
    end, usage = list(chunks)
    assert (end.choices[0].finish_reason, end.choices[0].delta.content, end.usage) == ("stop", None, None)
    assert usage.choices == []
    assert usage.usage is not None
    assert usage.usage.total_tokens == 35
    site.until_state(turn_id(first.id), TurnState.DELIVERED)
    assert site.metric('glimt_streams{channel="api"}') == 0


def test_a_stream_without_usage_has_none(site: Site) -> None:
    stream = streamed(site, user("No usage?"))
    site.take("No usage?").say("Right").answer("Right")
    chunks = list(stream)
    assert all(chunk.usage is None and chunk.choices for chunk in chunks)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Right"


def test_the_stream_ends_as_every_client_expects(site: Site) -> None:
    body = {"model": MODEL, "messages": [user("Raw?")], "stream": True}
    with site.program().stream("POST", "/v1/chat/completions", json=body) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        site.take("Raw?").answer("Yes", finish_reason="length")
        lines = [line for line in response.iter_lines() if line]
    assert lines[-1] == "data: [DONE]"
    assert '"finish_reason":"length"' in lines[-2]
    assert all(line.startswith("data: ") for line in lines)


def test_what_the_stream_lost_comes_at_the_end(site: Site) -> None:
    stream = streamed(site, user("With a hole?"))
    work = site.take("With a hole?").say("One")
    lost = Entry(work.turn.attempt, "text", offset=len("One two"), text=" three")
    write_entries(site.at.redis, stream_key(work.turn.id), [lost], 3600)
    # SQL keeps answers without the white space around them.
    work.answer("One two three")
    assert "".join(c.choices[0].delta.content or "" for c in stream) == "One two three"


def test_a_stopped_answer_is_an_answer(site: Site, pool: ThreadPoolExecutor) -> None:
    asked = create(pool, site, user("Stopped?"))
    site.take("Stopped?").stopped("So f")
    choice = asked.result().choices[0]
    assert (choice.message.content, choice.finish_reason) == ("So f", "stop")


def test_pictures_are_stored_and_shown_to_the_worker(site: Site, pool: ThreadPoolExecutor) -> None:
    asked = create(pool, site, user("Which colours?", picture("red"), picture("blue", "JPEG", (20, 10))))
    work = site.take("Which colours?")
    turn = site.turn(work.turn.id)
    assert [(a.state, a.width, a.height) for a in turn.attachments] == [("stored", 32, 24), ("stored", 20, 10)]
    assert all(site.services.blobs.exists(a.blob_key) for a in turn.attachments)
    work.answer("Red and blue.")
    assert asked.result().choices[0].message.content == "Red and blue."


def test_a_follow_up_lands_in_the_same_conversation(site: Site, pool: ThreadPoolExecutor) -> None:
    system = {"role": "system", "content": "Be brief."}
    first = user("What is it?", picture("green"))
    asked = create(pool, site, system, first)
    work = site.take("What is it?")
    keys = [a.blob_key for a in site.turn(work.turn.id).attachments]
    told = digest.extend(digest.root("Be brief."), "What is it?", keys, "A square.")
    work.answer("A square.", history_hash=told)
    answer = asked.result().choices[0].message.content
    assert answer == "A square."

    follow_up = create(pool, site, system, first, assistant(answer), user("What colour is it?"))
    second = site.take("What colour is it?")
    assert second.turn.conversation_id == work.turn.conversation_id
    assert second.turn.seq == 2
    second.answer("Green.")
    assert follow_up.result().choices[0].message.content == "Green."

    # Another history is another conversation; what it brings is kept with its pictures.
    branch = create(pool, site, system, first, assistant("A circle."), user("Really?"))
    third = site.take("Really?")
    assert third.turn.conversation_id != work.turn.conversation_id
    with site.at.store.read() as repositories:
        past = repositories.turns.of_conversation(third.turn.conversation_id)[0]
        conversation = repositories.conversations.get(third.turn.conversation_id)
    assert (past.question, past.answer, past.state) == ("What is it?", "A circle.", "delivered")
    assert [a.blob_key for a in past.attachments] == keys
    assert conversation is not None
    assert conversation.system_prompt == "Be brief."
    third.answer("No.")
    assert branch.result().choices[0].message.content == "No."


def test_a_failed_turn_is_an_error_that_is_not_tried_again(site: Site, pool: ThreadPoolExecutor) -> None:
    client: Any = site.openai(max_retries=2)
    asked = pool.submit(client.chat.completions.create, model=MODEL, messages=[user("Failing?")])
    work = site.take("Failing?")
    work.fail("inference", "The model could not answer.")
    with pytest.raises(openai.InternalServerError, match="could not answer") as caught:
        asked.result()
    assert caught.value.code == "inference"
    with site.at.store.read() as repositories:
        assert repositories.session.query(Turn).filter_by(question="Failing?").count() == 1
    until(lambda: site.turn(work.turn.id).delivered_at, "the end is noted as read")


def test_a_prompt_that_does_not_fit_is_the_clients_to_change(site: Site, pool: ThreadPoolExecutor) -> None:
    asked = create(pool, site, user("Too long?"))
    site.take("Too long?").fail("prompt_too_long", "Too long for the model.")
    with pytest.raises(openai.BadRequestError, match="Too long") as caught:
        asked.result()
    assert caught.value.code == "context_length_exceeded"


def test_an_error_in_mid_stream_is_raised_by_the_client(site: Site) -> None:
    stream = streamed(site, user("Breaking?"))
    chunks = iter(stream)
    next(chunks)
    work = site.take("Breaking?").say("So far")
    assert next(chunks).choices[0].delta.content == "So far"
    work.fail("worker_lost", "The worker went away.")
    with pytest.raises(openai.APIError, match="went away") as caught:
        list(chunks)
    assert caught.value.code == "worker_lost"


def test_a_stream_whose_reader_leaves_is_cancelled(site: Site) -> None:
    stream = streamed(site, user("Leaving?"))
    next(iter(stream))
    work = site.take("Leaving?").say("So ")
    stream.close()
    until(work.stop_requested, "the worker is asked to stop")
    work.stopped("So")
    assert site.turn(work.turn.id).delivered_at is None


def test_leaving_before_the_worker_begins_cancels_at_once(site: Site) -> None:
    stream = streamed(site, user("Leaving early?"))
    left = turn_id(next(iter(stream)).id)
    stream.close()
    site.until_state(left, TurnState.CANCELLED)


def test_a_client_that_does_not_wait_for_the_whole_answer_cancels_it(site: Site, pool: ThreadPoolExecutor) -> None:
    client: Any = site.openai(max_retries=0).with_options(timeout=1.0)
    asked = pool.submit(client.chat.completions.create, model=MODEL, messages=[user("Impatient?")])
    work = site.take("Impatient?")
    with pytest.raises(openai.APITimeoutError):
        asked.result()
    until(work.stop_requested, "the worker is asked to stop")


def test_an_idempotency_key_makes_a_repeated_request_the_same_question(site: Site, pool: ThreadPoolExecutor) -> None:
    headers = {"Idempotency-Key": "once-1"}
    impatient: Any = site.openai(max_retries=0).with_options(timeout=1.0)
    first = pool.submit(impatient.chat.completions.create, model=MODEL, messages=[user("Once?")], extra_headers=headers)
    work = site.take("Once?")
    with pytest.raises(openai.APITimeoutError):
        first.result()
    again = create(pool, site, user("Once?"), extra_headers=headers)
    work.answer("Only once.")
    got = again.result()
    assert (turn_id(got.id), got.choices[0].message.content) == (work.turn.id, "Only once.")
    # The client came back, so its leaving did not stop the answer.
    assert not work.stop_requested()


def test_the_end_users_of_a_program_are_people_of_their_own(site: Site, pool: ThreadPoolExecutor) -> None:
    asked = [create(pool, site, user(f"From {name}?"), user=name) for name in ("eva", "max")]
    work = [site.take("From eva?"), site.take("From max?")]
    assert work[0].turn.person_id != work[1].turn.person_id
    told = digest.extend(digest.root(""), "From eva?", [], "Hello, Eva.")
    work[0].answer("Hello, Eva.", history_hash=told)
    work[1].answer("Hello, Max.")
    answers = [future.result().choices[0].message.content for future in asked]
    assert answers == ["Hello, Eva.", "Hello, Max."]
    # The same words from somebody else do not continue her conversation.
    messages = [user("From eva?"), assistant("Hello, Eva."), user("And on?")]
    stream = streamed(site, *messages, user="max")
    other = site.take("And on?")
    assert other.turn.conversation_id != work[0].turn.conversation_id
    other.answer("No.")
    assert [c.choices[0].finish_reason for c in stream][-1] == "stop"
