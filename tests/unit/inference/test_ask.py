"""`glimt ask` around an engine: what goes where."""

import io
import json

import pytest

from core.errors import ConfigurationError, InferenceError
from core.settings import load_settings
from glimt.ask import ask


def run(question: str, *, as_json: bool = False, model: str = "scripted:echo") -> tuple[str, str]:
    out, notes = io.StringIO(), io.StringIO()
    ask([], question, settings=load_settings(_env_file=None, model=model), as_json=as_json, out=out, notes=notes)
    return out.getvalue(), notes.getvalue()


def test_the_answer_alone_goes_to_stdout() -> None:
    out, notes = run("why [[think]]")
    assert out == "why [[think]]\n"
    assert notes == "Loading scripted:echo …\nLet me think.\n"


def test_json_is_one_object_with_the_thinking_in_it() -> None:
    out, notes = run("why [[think]]", as_json=True)
    told = json.loads(out)
    assert (told["answer"], told["thinking"]) == ("why [[think]]", "Let me think.")
    assert told["tokens"] == {"prompt": 4, "picture": 0, "cached": 0, "completion": 5}
    assert notes == "Loading scripted:echo …\n"


def test_failures_come_through() -> None:
    with pytest.raises(InferenceError, match="scripted failure"):
        run("[[fail]]")
    with pytest.raises(ConfigurationError):
        run("hello", model="scripted:nothing")
