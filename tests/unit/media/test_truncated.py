import pytest

from core.errors import PictureBroken, PictureError
from core.media.pictures import read_pictures
from tests.unit.media.corpus import LIMITS, one_of_each


def needed(name: str) -> bytes:
    """The file up to the last byte of its first frame, roughly: what follows may be missing without harm."""
    data = one_of_each()[name]
    if name == "gif-animated":
        return data[: data.index(b"!\xf9", data.index(b","))]
    return data[: data.index(b"IEND") - 4] if name.startswith("png") else data


@pytest.mark.parametrize("name", one_of_each())
def test_a_file_that_broke_off_is_refused(name: str) -> None:
    data = needed(name)
    for tenth in range(1, 10):
        part = data[: len(data) * tenth // 10]
        with pytest.raises(PictureError) as refused:
            read_pictures(part, LIMITS)
        if tenth > 1:
            assert isinstance(refused.value, PictureBroken)
            assert "damaged or incomplete" in refused.value.user_message


@pytest.mark.parametrize("name", one_of_each())
def test_every_length_gives_a_picture_or_a_typed_refusal(name: str) -> None:
    data = one_of_each()[name]
    step = max(1, len(data) // 150)
    for length in range(0, len(data), step):
        try:
            pictures = read_pictures(data[:length], LIMITS)
        except PictureError:
            continue
        # GIF, animated WebP and the like hold more after their first frame.
        assert len(pictures) == 1
