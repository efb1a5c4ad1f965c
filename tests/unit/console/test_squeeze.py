"""Pages as gzip: whole, and of a length that says nothing."""

import gzip

from admin.squeeze import MOST_PADDING, squeezed

BODY = ("<li>红色的星星</li>" * 500).encode()


def test_a_page_comes_out_as_it_went_in() -> None:
    assert gzip.decompress(squeezed(BODY)) == BODY
    assert gzip.decompress(squeezed(b"")) == b""


def test_its_length_differs_from_one_time_to_the_next() -> None:
    lengths = {len(squeezed(BODY)) for _ in range(100)}
    assert len(lengths) > 10
    assert max(lengths) - min(lengths) <= MOST_PADDING + 1
