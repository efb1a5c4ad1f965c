"""`glimt demo`: the whole service on this machine, and a first conversation with the model that ships with it."""

import http.client
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from bots.web.keys import create_key, revoke_key
from core.inference.source import DEMO
from core.settings import Settings
from core.store.database import Store
from core.values import Quantisation, new_id, utc_now
from glimt.page import DemoFailed, Page
from glimt.review import say_console
from glimt.supervisor import Supervisor
from glimt.up import page_url, wait_until_ready

PICTURE = DEMO / "sample.png"
QUESTIONS = ("What is in the top left?", "What colour is it?", "How many shapes are there?")


def self_contained(settings: Settings, model: str) -> Settings:
    """The same settings, but with `model` and with everything that is kept in the data folder."""
    own = {
        "backend": "transformers",
        "model": model,
        "eyes": "",
        "quantisation": Quantisation.NONE,
        "database_url": "",
        "redis_url": "",
        "blobs_url": "",
        # It must not answer in chats whose tokens are in `.env`.
        "slack_transport": "off",
        "telegram_transport": "off",
    }
    return settings.model_copy(update=own)


def demo(settings: Settings, *, once: bool, say: Callable[[str], None]) -> None:
    """Start everything, play the sample conversation, print it and what SQL holds of it; then serve unless `once`.

    Raises:
        DemoFailed: an answer failed or was empty.
        ConfigurationError: something could not be started.
        KeyboardInterrupt: Ctrl-C or SIGTERM before it served; everything is stopped by then.
    """
    began = time.monotonic()
    supervisor = Supervisor(settings, say, quiet=True)
    with supervisor.running():
        wait_until_ready(supervisor)
        say(f"Ready after {time.monotonic() - began:.1f} s: {page_url(settings)}\n")
        try:
            with _signed_in(settings) as page:
                conversation_id = _converse(page, supervisor.look_after)
        except (OSError, http.client.HTTPException) as error:
            raise DemoFailed(f"The page broke off ({type(error).__name__}). Logs: {settings.data_dir}/*.log") from error
        _print_stored(settings, conversation_id)
        if once:
            return
        say("")
        say_console(settings, say)
        say(f"Now ask your own questions at {page_url(settings)} (Ctrl-C stops everything).")
        supervisor.serve()


@contextmanager
def _signed_in(settings: Settings) -> Iterator[Page]:
    """The page as a visitor sees it. Where keys were made, one is made for the sample conversation and revoked."""
    page = Page(settings)
    if not page.needs_key:
        yield page
        return
    store = Store(settings.sql_url)
    name = f"demo {new_id()}"
    try:
        page.sign_in(create_key(store, name))
        yield page
    finally:
        revoke_key(store, name, utc_now())
        store.close()


def _converse(client: Page, look_after: Callable[[], None]) -> str:
    conversation_id = None
    print(f"Picture: {PICTURE}")
    for question in QUESTIONS:
        print(f"\nYou:   {question}\nGlimt: ", end="", flush=True)
        picture = PICTURE if conversation_id is None else None
        conversation_id, turn_id = client.ask(question, picture, conversation_id)
        said = ""
        for event, data in client.events(turn_id, look_after):
            if event == "text":
                said += data["text"]
                print(data["text"], end="", flush=True)
            elif event == "end":
                _check(data["turn"])
                # Without Redis for a moment, or beaten to it by SQL, the end brings what the stream did not.
                answer = data["turn"]["answer"]
                print(answer.removeprefix(said) if answer.startswith(said) else f"\n       {answer}", flush=True)
    assert conversation_id is not None
    return conversation_id


def _check(turn: dict[str, Any]) -> None:
    if turn["error"]:
        raise DemoFailed(f"The answer failed: {turn['error']['message']}")
    if not turn["answer"].strip():
        raise DemoFailed("The answer is empty.")


def _print_stored(settings: Settings, conversation_id: str) -> None:
    store = Store(settings.sql_url)
    try:
        with store.read() as repositories:
            turns = repositories.turns.of_conversation(conversation_id)
    finally:
        store.close()
    print(f"\nStored in {settings.sql_url.removeprefix('sqlite:///')} as conversation {conversation_id}:")
    for turn in turns:
        first = turn.first_token_at or turn.finished_at
        waited = f"{(first - turn.created_at).total_seconds() * 1000:.0f} ms" if first else "-"
        print(
            f"  {turn.seq}. {turn.state:<10} {turn.question!r} → {turn.answer!r}  "
            f"({turn.prompt_tokens}+{turn.completion_tokens} tokens, first text after {waited})"
        )


def print_step(text: str) -> None:
    """A step of the start, on its own line at once."""
    print(text, file=sys.stdout, flush=True)
