"""Fetching beside the event loop: no server holds anything up for longer than the deadline, and nothing but itself."""

import asyncio
import re
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import pytest

from bots.web.openai_api.fetch import Line, PictureHosts
from bots.web.openai_api.fetcher import DEADLINE_S, Fetcher
from core.errors import PictureError
from core.settings import Settings
from tests.integration.web.picture_server import Dripping, Server, gives, running
from tests.integration.web.site import serving
from tests.processes import PATIENCE_S, Installation


@pytest.fixture
def server() -> Iterator[Server]:
    with running() as made:
        yield made


@asynccontextmanager
async def fetching(server: Server, **options: float) -> AsyncIterator[Fetcher]:
    made = Fetcher(Settings(_env_file=None, picture_hosts=(server.at,)), **options)
    try:
        yield made
    finally:
        made.close()


async def happens(event: threading.Event) -> None:
    assert await asyncio.to_thread(event.wait, PATIENCE_S)


def test_what_is_there_is_fetched(server: Server) -> None:
    server.answers["/a"] = gives(b"bytes")

    async def run() -> None:
        async with fetching(server) as fetcher:
            assert await fetcher.fetch(f"{server.url}/a", 100) == b"bytes"
            with pytest.raises(PictureError, match="not fetched from this host"):
                await fetcher.fetch("http://192.0.2.1/a", 100)

    asyncio.run(run())


def test_a_header_without_end_is_cut_off_at_the_deadline(server: Server) -> None:
    drip = server.answers["/a"] = Dripping()

    async def run() -> None:
        async with fetching(server, deadline_s=0.1) as fetcher:
            with pytest.raises(PictureError, match="too slow"):
                await fetcher.fetch(f"{server.url}/a", 100)
            await happens(drip.left)

    asyncio.run(run())


def test_who_does_not_want_it_any_more_cuts_it_off(server: Server) -> None:
    drip = server.answers["/a"] = Dripping()

    async def run() -> None:
        async with fetching(server) as fetcher:
            task = asyncio.create_task(fetcher.fetch(f"{server.url}/a", 100))
            await happens(drip.asked)
            task.cancel()
            await happens(drip.left)
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(run())


def test_it_needs_none_of_the_threads_that_sql_uses(server: Server) -> None:
    server.answers["/a"] = gives(b"bytes")
    done = threading.Event()

    async def run() -> None:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(1))
        busy = loop.run_in_executor(None, done.wait, PATIENCE_S)
        async with fetching(server) as fetcher:
            assert await fetcher.fetch(f"{server.url}/a", 100) == b"bytes"
        done.set()
        await busy

    asyncio.run(run())


def test_a_cut_ends_a_read_that_waits_and_allows_no_other_connection() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, ThreadPoolExecutor(1) as pool:
        line = Line()
        line.hold(ours)
        reading = pool.submit(ours.recv, 1)
        line.cut()
        assert reading.result() == b""
        line.cut()
        with pytest.raises(ConnectionAbortedError):
            line.hold(theirs)


def test_a_connection_that_was_let_go_is_not_cut() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        line = Line()
        line.hold(ours)
        line.let_go()
        line.cut()
        theirs.sendall(b"x")
        assert ours.recv(1) == b"x"


def test_a_cut_ends_a_tls_handshake_that_nobody_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
        at = f"127.0.0.1:{listener.getsockname()[1]}"
        line = Line()
        fetching = pool.submit(PictureHosts([at]).fetch, f"https://{at}/a", 100, line)
        connection, _ = listener.accept()
        with connection:
            assert connection.recv(1)
            line.cut()
            with pytest.raises(PictureError) as refused:
                fetching.result()
    # Not the silence that would have ended it later.
    assert re.search(r"could not be fetched \((?!TimeoutError)", refused.value.user_message)


def test_a_client_that_leaves_ends_the_fetching_of_its_pictures(at: Installation, server: Server) -> None:
    drip = server.answers["/slow.png"] = Dripping()
    parts = [{"type": "image_url", "image_url": {"url": f"{server.url}/slow.png"}}] * 3
    body = {"messages": [{"role": "user", "content": parts}]}
    with serving(at, picture_hosts=(server.at,)) as site:
        before = site.turns()
        with ThreadPoolExecutor(1) as pool, site.program() as client:
            asking = pool.submit(client.post, "/v1/chat/completions", json=body, timeout=0.5)
            assert drip.asked.wait(PATIENCE_S)
            assert asking.exception() is not None
        # Well before the deadline, which would end it too.
        assert drip.left.wait(DEADLINE_S * 0.75)
        assert site.turns() == before
