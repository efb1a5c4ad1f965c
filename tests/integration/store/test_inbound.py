"""A platform event counts once, however often it is sent."""

import pytest
from sqlalchemy.exc import IntegrityError

from core.store.models import InboundEvent
from core.values import Platform
from tests.integration.store.scene import Scene


def test_an_event_is_new_once_on_its_platform(scene: Scene) -> None:
    with scene.store.write() as repositories:
        assert repositories.inbound.first(Platform.SLACK, "Ev1")
        assert not repositories.inbound.first(Platform.SLACK, "Ev1")
        assert repositories.inbound.first(Platform.TELEGRAM, "Ev1")
        assert repositories.inbound.first(Platform.SLACK, "Ev2")
    with scene.store.write() as repositories:
        assert not repositories.inbound.first(Platform.SLACK, "Ev2")


def test_an_event_leads_to_its_turn(scene: Scene) -> None:
    turn_id = scene.ask(scene.thread())
    with scene.store.write() as repositories:
        assert repositories.inbound.first(Platform.SLACK, "Ev1", turn_id, content_hash="a" * 64)
        assert not repositories.inbound.first(Platform.SLACK, "Ev1", content_hash="b" * 64)
        repositories.inbound.first(Platform.SLACK, "Ev2")
    with scene.store.read() as repositories:
        event = repositories.inbound.find(Platform.SLACK, "Ev1")
        bare = repositories.inbound.find(Platform.SLACK, "Ev2")
        assert repositories.inbound.find(Platform.TELEGRAM, "Ev1") is None
    assert event is not None
    assert (event.turn_id, event.content_hash) == (turn_id, "a" * 64)
    assert bare is not None
    assert (bare.turn_id, bare.content_hash) == (None, "")


def test_a_block_that_fails_leaves_the_event_new(scene: Scene) -> None:
    def fail() -> None:
        with scene.store.write() as repositories:
            repositories.inbound.first(Platform.SLACK, "Ev1")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with scene.store.write() as repositories:
        assert repositories.inbound.first(Platform.SLACK, "Ev1")


def test_a_turn_that_never_comes_is_noticed_at_the_commit(scene: Scene) -> None:
    with pytest.raises(IntegrityError):
        with scene.store.write() as repositories:
            assert repositories.inbound.first(Platform.SLACK, "Ev1", "0" * 32)
    with scene.store.read() as repositories:
        assert repositories.session.query(InboundEvent).count() == 0
