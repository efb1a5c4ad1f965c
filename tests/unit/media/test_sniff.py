import zipfile
from io import BytesIO

import pytest

from core.errors import PictureBroken, PictureFormatNotAllowed
from core.media.pictures import read_pictures
from core.media.sniff import Format, sniff
from tests.unit.media.corpus import LIMITS, one_of_each, pages


@pytest.mark.parametrize("name", one_of_each())
def test_every_format_is_known_by_its_bytes(name: str) -> None:
    assert sniff(one_of_each()[name]) is Format(name.split("-")[0].upper())


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (b"MM\0*\0\0\0\x08", Format.TIFF),
        (b"II+\0\x08\0\0\0", Format.TIFF),
        (b"MM\0+\0\x08\0\0", Format.TIFF),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1heicmiaf", Format.HEIC),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf", Format.AVIF),
        (b"\0\0\0\x18ftyphevc\0\0\0\0msf1hevc", Format.HEIC),
        (b"\0\0\0\x18ftypavis\0\0\0\0msf1avis", Format.AVIF),
    ],
)
def test_the_rarer_signatures(start: bytes, expected: Format) -> None:
    assert sniff(start) is expected


def zip_archive() -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    return out.getvalue()


STRANGERS = {
    "html": b"<!DOCTYPE html><html><script>alert(1)</script></html>",
    "html after a comment": b"<!-- \xff\xd8\xff --><html></html>",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "svg with a declaration": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
    "zip or docx": zip_archive(),
    "mp4": b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41" + bytes(64),
    "mov": b"\0\0\0\x14ftypqt  \0\0\0\0qt  " + bytes(64),
    "mp4 that claims a HEIC brand after its own": b"\0\0\0\x1cftypisom\0\0\0\0isomheicavif" + bytes(64),
    "HEIF container of no known coding": b"\0\0\0\x14ftypmif1\0\0\0\0j2ki" + bytes(64),
    "brands beyond the box": b"\0\0\0\x10ftypmif1\0\0\0\0heic" + bytes(64),
    "pdf after junk": b"GIF 89a, said the stranger\n" + pages((100, 100)),
    "pdf after a newline": b"\n" + pages((100, 100)),
    "text that begins with BM": b"BMW sells cars. This is a text and no bitmap at all.",
    "icon": b"\0\0\1\0\1\0\x10\x10" + bytes(64),
    "photoshop": b"8BPS\0\1" + bytes(64),
    "jpeg 2000": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(64),
    "jpeg xl": b"\xff\x0a" + bytes(64),
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n(%PDF-)",
    "program": b"\x7fELF\2\1\1" + bytes(64),
    "riff of another kind": b"RIFF\x24\0\0\0WAVEfmt " + bytes(64),
    "one byte": b"\xff",
    "a signature cut short": b"\x89PNG\r\n",
    "gif of no version": b"GIF88a" + bytes(64),
}


@pytest.mark.parametrize("name", STRANGERS)
def test_everything_else_is_refused(name: str) -> None:
    with pytest.raises(PictureFormatNotAllowed) as refused:
        read_pictures(STRANGERS[name], LIMITS)
    assert "JPEG" in refused.value.user_message
    assert "PDF" in refused.value.user_message


@pytest.mark.parametrize("name", one_of_each())
def test_leading_junk_is_never_skipped(name: str) -> None:
    with pytest.raises(PictureFormatNotAllowed):
        sniff(b"junk" + one_of_each()[name])


def test_what_follows_the_picture_does_not_come_along() -> None:
    polyglot = one_of_each()["jpeg"] + zip_archive() + STRANGERS["html"]
    (picture,) = read_pictures(polyglot, LIMITS)
    assert b"PK\x03\x04" not in picture.data
    assert b"script" not in picture.data


def test_the_format_that_was_sniffed_is_the_only_one_tried() -> None:
    disguised = b"BM" + b"\0" * 12 + b"\x28\0\0\0" + one_of_each()["gif"]
    with pytest.raises(PictureBroken, match="BMP"):
        read_pictures(disguised, LIMITS)


def test_webp_needs_its_second_signature() -> None:
    data = one_of_each()["webp"]
    with pytest.raises(PictureFormatNotAllowed):
        sniff(data[:8] + b"AVI " + data[12:])
