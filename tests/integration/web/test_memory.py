"""What a request that waits for its answer still holds: nothing of its body."""

import base64
import json
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.integration.web.site import Site, picture
from tests.integration.web.test_limits import JSON, PATH, raw
from tests.processes import until


@contextmanager
def traced() -> Iterator[None]:
    """Python counts the bytes that are allocated in the block."""
    tracemalloc.start()
    try:
        yield
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("streamed", [False, True])
def test_a_request_that_waits_holds_nothing_of_its_body(site: Site, streamed: bool) -> None:
    question = f"Large, {'streamed' if streamed else 'whole'}?"
    url = f"data:image/bmp;base64,{base64.b64encode(picture('red', 'BMP', (1600, 1200))).decode()}"
    content = [{"type": "text", "text": question}, {"type": "image_url", "image_url": {"url": url}}]
    body = json.dumps({"messages": [{"role": "user", "content": content}], "stream": streamed}).encode()
    headers = {**JSON, "content-length": str(len(body))}
    with traced(), raw(site, PATH, headers) as connection:
        connection.sendall(body)
        work = site.take(question)
        # The question is committed, so that its request waits for nothing but the answer, soon if not yet.
        until(lambda: tracemalloc.get_traced_memory()[0] < len(body) / 2, "the body is gone")
        assert tracemalloc.get_traced_memory()[1] > 2 * len(body)
        work.answer("Yes.")
        got = b""
        while b"Yes." not in got:
            more = connection.recv(65536)
            assert more, got
            got += more
