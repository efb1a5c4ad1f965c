"""Decoding `data:` URLs within their limit."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.web.openai_api.pictures import decode_data_url
from core.errors import PictureError, PictureTooLarge


@given(st.binary(min_size=1, max_size=300), st.sampled_from(["image/png", "IMAGE/JPEG;name=x", "", "text/html"]))
def test_the_bytes_come_back_whatever_type_is_named(data: bytes, kind: str) -> None:
    url = f"data:{kind};base64,{base64.b64encode(data).decode()}"
    assert decode_data_url(url, 300) == data


def test_line_breaks_do_no_harm() -> None:
    assert decode_data_url(f"DATA:image/png;BASE64,{base64.encodebytes(b'x' * 500).decode()}", 500) == b"x" * 500


def test_one_byte_too_many() -> None:
    url = f"data:image/png;base64,{base64.b64encode(b'x' * 101).decode()}"
    with pytest.raises(PictureTooLarge):
        decode_data_url(url, 100)
    assert decode_data_url(url, 101) == b"x" * 101


@pytest.mark.parametrize(
    "url",
    [
        "data:",
        "data:image/png",
        "data:image/png;base64",
        "data:image/png;base64,",
        "data:image/png;base64,=",
        "data:image/png;base64,AAA",
        "data:image/png;base64,AA-_",
        "data:image/png;base64,ÄÖÜ=",
        "data:image/png,AAAA",
        "data:image/png;base64x,AAAA",
        f"data:{'x' * 300};base64,AAAA",
    ],
)
def test_what_is_no_base64_is_refused(url: str) -> None:
    with pytest.raises(PictureError):
        decode_data_url(url, 100)
