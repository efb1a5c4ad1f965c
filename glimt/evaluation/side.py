"""One model's part, in a process of its own, so that its memory is its own: `python -m glimt.evaluation.side`.

Reads what to do as JSON from standard input, and writes one JSON object to standard output.
"""

import asyncio
import json
import resource
import sys
import time
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

from core.errors import GlimtError
from core.inference.create import create_engine
from core.inference.peak import device_peak_bytes
from core.inference.port import Delta, Engine, Message, Picture, Request, Sampling, Started
from core.media.limits import PictureLimits
from core.settings import Settings, load_settings
from core.values import new_id
from glimt.ask import read_picture
from glimt.logs import set_up_logs


def run(settings: Settings, items: Sequence[dict[str, Any]], at_once: int) -> dict[str, Any]:
    """Have the model of `settings` answer all `items`, `at_once` of them at a time.

    Gives `answers` (each with `text`, `first_s`, `total_s`, `tokens` or an `error`), `load_s`, `total_s`, `peak_bytes`
    of this process and of its GPU.
    """
    began = time.monotonic()
    engine = create_engine(settings)
    loaded = time.monotonic()
    try:
        answers = asyncio.run(_answer_all(engine, settings, items, at_once))
        return {
            "model": engine.model_name,
            "answers": answers,
            "load_s": loaded - began,
            "total_s": time.monotonic() - loaded,
            "peak_bytes": _peak_bytes(),
            "device_peak_bytes": device_peak_bytes(),
        }
    finally:
        engine.close()


def _peak_bytes() -> int:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:  # not Linux; bytes on macOS
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Unlike ru_maxrss it does not begin with what the parent held when it forked.
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


async def _answer_all(
    engine: Engine, settings: Settings, items: Sequence[dict[str, Any]], at_once: int
) -> list[dict[str, Any]]:
    gate = asyncio.Semaphore(at_once)
    limits = PictureLimits.of(settings)
    done = 0

    async def one(item: dict[str, Any]) -> dict[str, Any]:
        nonlocal done
        async with gate:
            try:
                pictures = [
                    picture
                    for path in item["pictures"]
                    for picture in await asyncio.to_thread(read_picture, Path(path), limits)
                ]
                told = await _answer(engine, settings, pictures, item["question"])
            except GlimtError as error:
                told = {"text": "", "error": str(error) or error.user_message}
        done += 1
        if done % 50 == 0 or done == len(items):
            print(f"  {done} of {len(items)}", file=sys.stderr, flush=True)
        return told

    return list(await asyncio.gather(*map(one, items)))


async def _answer(engine: Engine, settings: Settings, pictures: list[Picture], question: str) -> dict[str, Any]:
    messages = [Message("user", question, tuple(pictures))]
    if settings.system_prompt:
        messages.insert(0, Message("system", settings.system_prompt))
    # Greedy, whatever is configured: the same question gets the same answer.
    sampling = Sampling(max_new_tokens=settings.max_new_tokens, temperature=0.0)
    request = Request(new_id(), tuple(messages), sampling, settings.reasoning, deadline_s=settings.turn_deadline_s)
    asked = time.monotonic()
    text, first, tokens = "", None, 0
    async with aclosing(engine.submit(request)) as events:
        async for event in events:
            if isinstance(event, Delta):
                first = first or time.monotonic() - asked
                if event.kind == "answer":
                    text += event.text
            elif isinstance(event, Started):
                tokens = event.prompt_tokens
    return {"text": text.strip(), "first_s": first, "total_s": time.monotonic() - asked, "tokens": tokens}


def main() -> None:
    """Do what standard input says: `model`, `items`, `at_once`."""
    wanted = json.load(sys.stdin)
    settings = load_settings(model=wanted["model"])
    set_up_logs(settings)
    try:
        told = run(settings, wanted["items"], wanted["at_once"])
    except GlimtError as error:
        told = {"error": str(error) or error.user_message}
    json.dump(told, sys.stdout, ensure_ascii=False)


if __name__ == "__main__":
    main()
