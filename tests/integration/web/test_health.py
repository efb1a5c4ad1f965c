"""/healthz, /readyz and /metrics; the page and its headers."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from bots.web.headers import CONTENT_SECURITY_POLICY
from bots.web.keys import create_key
from bots.web.worker_metrics import _NOW, _SINCE_START
from core.inference.port import EngineStats
from core.queue.presence import WorkerPresence, announce_presence, withdraw_presence
from core.store.models import Turn
from core.values import utc_now
from tests.integration.web.site import Site, ask, serving
from tests.processes import Installation, until


def test_a_healthy_service(site: Site) -> None:
    assert site.program().get("/healthz").text == "ok\n"
    ready = site.program().get("/readyz")
    assert ready.status_code == 200
    assert ready.json()["checks"] == {"sql": "ok", "redis": "ok", "queue": "ok"}


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz"])
def test_who_only_watches_may_ask_for_the_head(site: Site, path: str) -> None:
    head, whole = site.browser().head(path), site.browser().get(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == whole.headers["content-type"]


def readiness(site: Site) -> Any:
    return site.program().get("/readyz").json()["checks"]


def test_without_redis_it_lives_but_is_not_ready(fresh: Installation) -> None:
    with serving(fresh) as site:
        fresh.redis_server.stop()
        response = site.program().get("/readyz")
        assert response.status_code == 503
        assert response.json()["checks"]["redis"] == "cannot be reached"
        assert site.program().get("/healthz").status_code == 200
        fresh.redis_server.start()
        until(lambda: readiness(site)["redis"] == "ok", "it is ready again")


def test_without_its_tables_it_is_not_ready(fresh: Installation) -> None:
    with fresh.store.write() as repositories:
        repositories.session.execute(text("UPDATE alembic_version SET version_num = 'older'"))
    with serving(fresh) as site:
        response = site.program().get("/readyz")
        assert response.status_code == 503
        assert "glimt db upgrade" in response.json()["checks"]["sql"]


def test_turns_that_nobody_takes_are_not_progress(fresh: Installation) -> None:
    with serving(fresh) as site:
        turn_id = ask(site.visitor(), "Nobody?").json()["turn"]["id"]
        with fresh.store.write() as repositories:
            waiting = repositories.session.query(Turn).filter_by(id=turn_id)
            waiting.update({"ready_at": utc_now() - timedelta(minutes=5)})
        until(lambda: readiness(site)["queue"] != "ok", "it notices")
        report = site.program().get("/readyz")
        assert report.status_code == 503
        assert report.json()["oldest_ready_s"] >= 300
        assert site.metric("glimt_oldest_ready_seconds") >= 300
        assert site.metric('glimt_turns{state="ready"}') == 1
        # A worker that runs something is progress, however long the queue is.
        site.claim(turn_id)
        until(lambda: readiness(site)["queue"] == "ok", "it notices")


def test_the_numbers(site: Site) -> None:
    before = site.metric('glimt_http_requests_total{method="GET",route="/healthz",status="200"}')
    site.program().get("/healthz")
    site.program().get("/no-such-thing-1")
    text = site.program().get("/metrics").text
    assert site.metric('glimt_http_requests_total{method="GET",route="/healthz",status="200"}') == before + 1
    assert site.metric("glimt_store_up") == 1
    assert site.metric('glimt_http_request_seconds_count{route="/healthz"}') >= 1
    # A stranger cannot make labels.
    assert "no-such-thing" not in text


def test_the_numbers_of_every_worker(site: Site) -> None:
    numbers = {"steps": 7, "prefix_reused": 30, "prefix_asked": 40, "kv_slots": 4, "of another version": 1}
    announce_presence(site.at.redis, WorkerPresence("one:1:a", "demo", 16, 3, numbers))
    announce_presence(site.at.redis, WorkerPresence("two:2:b", "demo", 8, 0))
    assert site.metric('glimt_worker_slots{model="demo",worker="two:2:b"}') == 8
    assert site.metric('glimt_worker_turns{worker="one:1:a"}') == 3
    assert site.metric('glimt_engine_kv_slots{worker="one:1:a"}') == 4
    assert site.metric('glimt_engine_steps_total{worker="one:1:a"}') == 7
    assert site.metric('glimt_prefix_cache_reused_tokens_total{worker="one:1:a"}') == 30
    text = site.program().get("/metrics").text
    assert "another version" not in text
    assert 'glimt_engine_steps_total{worker="two:2:b"}' not in text
    for owner in ("one:1:a", "two:2:b"):
        withdraw_presence(site.at.redis, owner)
    assert "one:1:a" not in site.program().get("/metrics").text


def test_every_number_of_an_engine_has_its_metric() -> None:
    assert set(_NOW) | set(_SINCE_START) == set(asdict(EngineStats()))


def test_the_numbers_without_redis(fresh: Installation) -> None:
    with serving(fresh) as site:
        assert site.metric("glimt_redis_up") == 1
        fresh.redis_server.stop()
        assert site.metric("glimt_redis_up") == 0
        assert site.metric("glimt_store_up") == 1


def test_the_numbers_beyond_loopback_need_a_key(fresh: Installation) -> None:
    key = create_key(fresh.store, "ann")
    with serving(fresh, host="0.0.0.0") as site:
        assert site.program().get("/metrics").status_code == 401
        assert site.program("glimt_wrong").get("/metrics").status_code == 401
        assert "glimt_turns" in site.program(key).get("/metrics").text
        assert site.program().get("/healthz").status_code == 200
        assert site.program().get("/readyz").status_code == 200
    with serving(fresh, host="0.0.0.0", metrics_public=True) as site:
        assert site.program().get("/metrics").status_code == 200
    with serving(fresh) as site:
        assert site.program().get("/metrics").status_code == 200
        assert site.program().get("/metrics", headers={"x-forwarded-for": "203.0.113.7"}).status_code == 401


@pytest.mark.parametrize(
    "path", ["/", "/static/icon.svg", "/healthz", "/api/session", "/v1/models", "/nowhere", "/docs"]
)
def test_every_answer_has_the_security_headers(site: Site, path: str) -> None:
    headers = site.browser().get(path).headers
    assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cache-control"] in ("no-store", "no-cache")


def test_the_policy_lets_nothing_in_from_elsewhere() -> None:
    rules = dict(rule.strip().split(" ", 1) for rule in CONTENT_SECURITY_POLICY.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
    assert "unsafe" not in CONTENT_SECURITY_POLICY


def test_the_page(site: Site) -> None:
    page = site.browser().get("/")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert 'src="/static/chat.js"' in page.text
    script = site.browser().get("/static/chat.js")
    assert script.headers["content-type"].startswith("text/javascript")
    again = site.browser().get("/static/chat.js", headers={"if-none-match": script.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/..%2fapp.py", "/static/%2e%2e/app.py", "/static/", "/static"]
)
def test_nothing_beside_the_page_is_served(site: Site, path: str) -> None:
    assert site.browser().get(f"/static{path}", follow_redirects=True).status_code == 404


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json"])
def test_no_generated_pages(site: Site, path: str) -> None:
    assert site.program().get(path).status_code == 404


def test_a_mistake_of_ours_shows_nothing_of_itself(fresh: Installation) -> None:
    with fresh.store.write() as repositories:
        repositories.session.execute(text("DROP TABLE web_sessions"))
    with serving(fresh) as site:
        response = site.browser().get("/api/session")
        assert response.status_code in (500, 503)
        assert "web_sessions" not in response.text
        assert response.json()["error"]["message"]
        assert response.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
