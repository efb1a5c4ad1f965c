"""API keys and the browsers that signed in with them: only digests are stored, revoking ends both."""

import pytest

from core.errors import RequestError
from core.store.models import ApiKey, WebSession
from tests.integration.store.scene import NOW, Scene, after

HASH, OTHER = "a" * 64, "b" * 64


def new_key(scene: Scene, name: str = "laptop", key_hash: str = HASH) -> ApiKey:
    person = scene.person(f"key:{name}")
    with scene.store.write() as repositories:
        return repositories.keys.create(name, person, key_hash)


def test_a_key_is_found_by_its_digest(scene: Scene) -> None:
    with scene.store.read() as repositories:
        assert not repositories.keys.any()
        assert repositories.keys.by_hash(HASH) is None
    key = new_key(scene)
    with scene.store.read() as repositories:
        found = repositories.keys.by_hash(HASH)
        assert repositories.keys.any()
        assert repositories.keys.by_hash(OTHER) is None
    assert found is not None
    assert (found.id, found.name, found.last_used_at, found.revoked_at) == (key.id, "laptop", None, None)


def test_a_name_is_given_once_even_after_it_was_revoked(scene: Scene) -> None:
    new_key(scene)
    with pytest.raises(RequestError) as caught:
        new_key(scene, key_hash=OTHER)
    assert "'laptop'" in caught.value.user_message
    with scene.store.write() as repositories:
        repositories.keys.revoke("laptop")
    with pytest.raises(RequestError):
        new_key(scene, key_hash=OTHER)
    with scene.store.read() as repositories:
        assert [key.key_hash for key in repositories.keys.list()] == [HASH]


def test_a_revoked_key_is_no_key(scene: Scene) -> None:
    new_key(scene)
    with scene.store.write() as repositories:
        assert not repositories.keys.revoke("tablet")
        assert repositories.keys.revoke("laptop", after(5))
        assert not repositories.keys.revoke("laptop")
    with scene.store.read() as repositories:
        assert repositories.keys.by_hash(HASH) is None
        assert not repositories.keys.any()
        assert [(key.name, key.revoked_at) for key in repositories.keys.list()] == [("laptop", after(5))]


def test_use_is_noted(scene: Scene) -> None:
    key = new_key(scene)
    with scene.store.write() as repositories:
        repositories.keys.touch(key.id, after(7))
    with scene.store.read() as repositories:
        assert [key.last_used_at for key in repositories.keys.list()] == [after(7)]


def test_a_browser_stays_signed_in_until_its_time_is_over(scene: Scene) -> None:
    person = scene.person("browser:1")
    with scene.store.write() as repositories:
        repositories.web_sessions.create(OTHER, person, None, after(60))
    with scene.store.read() as repositories:
        session = repositories.web_sessions.by_hash(OTHER, after(59))
        assert session is not None
        assert session.person_id == person
        assert repositories.web_sessions.by_hash(OTHER, after(60)) is None
        assert repositories.web_sessions.by_hash(HASH, NOW) is None


def test_signing_out_ends_one_session(scene: Scene) -> None:
    person = scene.person("browser:1")
    with scene.store.write() as repositories:
        repositories.web_sessions.create(HASH, person, None, after(60))
        repositories.web_sessions.create(OTHER, person, None, after(60))
        repositories.web_sessions.delete(HASH)
    with scene.store.read() as repositories:
        assert repositories.web_sessions.by_hash(HASH, NOW) is None
        assert repositories.web_sessions.by_hash(OTHER, NOW) is not None


def test_a_session_ends_with_its_key(scene: Scene) -> None:
    key = new_key(scene)
    with scene.store.write() as repositories:
        repositories.web_sessions.create(OTHER, key.person_id, key.id, after(60))
    with scene.store.read() as repositories:
        assert repositories.web_sessions.by_hash(OTHER, NOW) is not None
    with scene.store.write() as repositories:
        repositories.keys.revoke("laptop")
    with scene.store.read() as repositories:
        assert repositories.web_sessions.by_hash(OTHER, NOW) is None


def test_expired_sessions_are_forgotten(scene: Scene) -> None:
    person = scene.person("browser:1")
    with scene.store.write() as repositories:
        repositories.web_sessions.create(HASH, person, None, after(10))
        repositories.web_sessions.create(OTHER, person, None, after(20))
        assert repositories.web_sessions.purge(after(10)) == 1
        assert repositories.web_sessions.purge(after(10)) == 0
    with scene.store.read() as repositories:
        assert [row.token_hash for row in repositories.session.query(WebSession)] == [OTHER]
