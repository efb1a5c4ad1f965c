"""Real eyes and a real mind: the model that ships with Glimt looks, a tiny random GLM-4.7-Flash answers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import ConfigurationError
from core.inference.create import check_model, create_engine
from core.inference.engine import TransformersEngine
from core.inference.eyes.engine import EyesAndMind
from core.inference.loader import load_model
from core.inference.port import Engine, Message, Picture, Request, Sampling, Started
from core.inference.source import DEMO
from core.settings import Settings, load_settings
from core.store.database import Store
from core.values import TurnState
from tests.integration.inference.conftest import CheckpointOf
from tests.integration.worker.workbench import workbench
from tests.unit.inference.asking import asked, collect, said

SAMPLE = (DEMO / "sample.png").read_bytes()


def settings(**chosen: object) -> Settings:
    return load_settings(_env_file=None, device="cpu", dtype="float32", **chosen)


@pytest.fixture(scope="module")
def pair(checkpoint: CheckpointOf) -> Iterator[Engine]:
    engine = create_engine(settings(model=str(checkpoint("glm4_moe_lite")), eyes="demo", cache_mb=60))
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def demo_says() -> str:
    """What the eyes say by themselves."""
    engine = create_engine(settings(model="demo"))
    text = said(collect(engine, asked("Describe the picture.", pictures=(Picture("a" * 64, SAMPLE, 112, 112),))))
    engine.close()
    return text


class Kept:
    """The pair for several benches: a bench closes its engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.model_name, self.context_tokens = engine.model_name, engine.context_tokens
        self.count_tokens, self.submit, self.cancel = engine.count_tokens, engine.submit, engine.cancel
        self.stats = engine.stats

    def close(self) -> None:
        pass


def test_a_whole_turn_and_its_follow_up(pair: Engine, demo_says: str, sqlite_store: Store, tmp_path: Path) -> None:
    assert isinstance(pair, EyesAndMind)
    with workbench(sqlite_store, Kept(pair), tmp_path, max_new_tokens=8) as bench:
        first = bench.answered("What is in the picture?", "talk", [SAMPLE])
        second = bench.answered("Which colour?", "talk")

    assert first.state == second.state == TurnState.ANSWERED
    assert first.answer
    key = first.attachments[0].blob_key
    assert first.observations == [{"picture": key, "model": "demo", "text": demo_says}]
    assert second.observations == []
    assert 0 < first.picture_tokens < first.prompt_tokens
    # The first prompt is the beginning of the second, up to where the template opens an answer: the mind reads the
    # same observation again.
    assert second.cached_tokens >= first.prompt_tokens - 4


def test_counts_are_never_less_than_the_prompt(pair: Engine) -> None:
    message = Message("user", "Which?", (Picture("a" * 64, SAMPLE, 112, 112), Picture("b" * 64, SAMPLE, 112, 112)))
    events = collect(pair, Request("r", (message,), Sampling(max_new_tokens=1)))

    started = next(event for event in events if isinstance(event, Started))
    assert started.prompt_tokens <= pair.count_tokens(message) <= pair.context_tokens


def test_a_mind_alone_says_what_it_lacks(checkpoint: CheckpointOf, sqlite_store: Store, tmp_path: Path) -> None:
    engine = create_engine(settings(model=str(checkpoint("glm4_moe_lite"))))
    with workbench(sqlite_store, engine, tmp_path, max_new_tokens=4) as bench:
        blind = bench.answered("What is in the picture?", "talk", [SAMPLE])
        words = bench.answered("Hello")

    assert (blind.state, blind.error_code, blind.attempt) == (TurnState.FAILED, "no_eyes", 1)
    assert "cannot see pictures" in blind.error_message
    assert "GLIMT_EYES" in blind.error_message
    assert words.state == TurnState.ANSWERED


@pytest.mark.parametrize("function", [check_model, create_engine])
def test_eyes_that_read_text_only_are_refused(checkpoint: CheckpointOf, function: object) -> None:
    assert callable(function)
    with pytest.raises(ConfigurationError, match=r"GLIMT_EYES=.*reads text only"):
        function(settings(model="demo", eyes=str(checkpoint("glm4_moe_lite"))))


def test_what_fails_while_the_eyes_are_loaded_is_said_of_them() -> None:
    with pytest.raises(ConfigurationError, match=r"^GLIMT_EYES=auto takes no GLIMT_EYES_REVISION"):
        create_engine(settings(model="demo", eyes="auto", eyes_revision="f" * 40))


def test_both_warm_up_once_both_are_made(pair: Engine, checkpoint: CheckpointOf) -> None:
    assert isinstance(pair, EyesAndMind)
    assert [bool(one._warming) for one in (pair._eyes, pair._mind) if isinstance(one, TransformersEngine)] == [True] * 2
    chosen = settings(model=str(checkpoint("glm4_moe_lite")))
    made = TransformersEngine.around(load_model(chosen), chosen)
    try:
        assert not made._warming
    finally:
        made.close()
