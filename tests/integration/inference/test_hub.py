"""Models from a hub: fetched, pinned at first use, compared with checksums; and every way in which that fails."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import snapshot_download
from huggingface_hub.constants import DOWNLOAD_CHUNK_SIZE

from core.errors import HubUnreachable, ModelLoadError
from core.inference.hub import Hub
from core.inference.pins import Pins
from tests.fakes.hub import FakeHub, Repository, fake_hub

NAME = "some-owner/some-model"
OTHER = "f" * 40


def weights(fill: bytes, count: int = 1000) -> bytes:
    """A safetensors file of `count` bytes."""
    header = json.dumps({"t": {"dtype": "U8", "shape": [count], "data_offsets": [0, count]}}).encode()
    return len(header).to_bytes(8, "little") + header + fill * count


FILES = {
    "config.json": b'{"model_type": "glm4v"}',
    "model.safetensors": weights(b"a"),
    "pytorch_model.bin": b"a pickle",
    "code.py": b"print('never')",
}


@pytest.fixture(scope="module")
def server() -> Iterator[FakeHub]:
    with fake_hub() as hub:
        yield hub


@pytest.fixture
def shelf(server: FakeHub) -> Iterator[FakeHub]:
    """The hub with one model of one commit, which was asked nothing yet."""
    server.repositories.clear()
    server.asked.clear()
    server.ranges.clear()
    server.down = False
    server.add(NAME, FILES)
    yield server
    assert server.unexpected == []


@pytest.fixture
def hub(shelf: FakeHub, tmp_path: Path) -> Hub:
    return Hub(Pins(tmp_path / "pins"), endpoint=shelf.url, cache=tmp_path / "cache")


def the(shelf: FakeHub) -> Repository:
    return shelf.repositories[NAME]


def test_what_is_needed_is_fetched_and_nothing_else(hub: Hub, shelf: FakeHub) -> None:
    assert hub.find(NAME) is None
    folder = hub.fetch(NAME)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        name: FILES[name] for name in ("config.json", "model.safetensors")
    }
    assert not [line for line in shelf.asked if "pytorch_model.bin" in line or "code.py" in line]


def test_the_commit_of_the_first_use_stays(hub: Hub, shelf: FakeHub) -> None:
    first = the(shelf).main
    folder = hub.fetch(NAME)
    second = the(shelf).push(FILES | {"config.json": b'{"model_type": "glm46v"}', "more.json": b"{}"})
    shelf.asked.clear()

    assert hub.fetch(NAME) == hub.find(NAME) == folder
    assert shelf.asked == []
    assert hub.pins.get(NAME) == first

    newer = hub.fetch(NAME, update=True)
    assert (newer / "more.json").read_bytes() == b"{}"
    assert hub.pins.get(NAME) == second
    assert hub.find(NAME) == newer


def test_an_update_that_fails_leaves_what_there_was(hub: Hub, shelf: FakeHub) -> None:
    folder = hub.fetch(NAME)
    the(shelf).push(FILES | {"more.json": b"{}"})
    the(shelf).announced["more.json"] = b"[]"

    with pytest.raises(ModelLoadError, match=r"more.json is not what the hub announced"):
        hub.fetch(NAME, update=True)
    shelf.down = True

    assert hub.pins.get(NAME) == folder.name
    assert hub.fetch(NAME) == folder


def test_a_cache_that_leads_elsewhere_takes_nothing_with_it(hub: Hub, tmp_path: Path) -> None:
    folder = hub.fetch(NAME)
    elsewhere = tmp_path / "mine"
    elsewhere.write_bytes(b"mine")
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").symlink_to(elsewhere)

    with pytest.raises(ModelLoadError, match=r"not what the hub announced.*--revision"):
        Hub(Pins(tmp_path / "others"), cache=tmp_path / "cache").find(NAME, folder.name)

    assert elsewhere.read_bytes() == b"mine"
    assert not (folder / "model.safetensors").is_symlink()


def test_a_pin_is_kept_when_another_process_was_first(hub: Hub, shelf: FakeHub) -> None:
    first = the(shelf).main
    hub.pins.set(NAME, first)
    the(shelf).push(FILES | {"more.json": b"{}"})
    assert hub.pins.set(NAME, the(shelf).main) == first
    assert hub.fetch(NAME).name == first


@pytest.mark.parametrize("content", ["", "main", "0123"])
def test_a_pin_that_is_broken_is_made_anew(hub: Hub, shelf: FakeHub, tmp_path: Path, content: str) -> None:
    (tmp_path / "pins").mkdir()
    (tmp_path / "pins" / NAME.replace("/", "--")).write_text(content)
    hub.fetch(NAME)
    assert hub.pins.get(NAME) == the(shelf).main


def test_a_revision_that_is_given_is_taken_and_not_pinned(hub: Hub, shelf: FakeHub) -> None:
    first = the(shelf).main
    the(shelf).push(FILES | {"more.json": b"{}"})
    assert hub.fetch(NAME, first).name == first
    assert hub.pins.get(NAME) is None


def test_a_transfer_that_breaks_off_goes_on_where_it_was(hub: Hub, shelf: FakeHub) -> None:
    # The client writes its first piece when it has 10 MiB.
    large = weights(b"a", 11 * 2**20)
    the(shelf).push(FILES | {"model.safetensors": large})
    shelf.cut_after = len(large) - 100
    assert (hub.fetch(NAME) / "model.safetensors").read_bytes() == large
    assert shelf.ranges == [DOWNLOAD_CHUNK_SIZE]


def test_what_was_fetched_before_the_hub_went_away_is_not_fetched_again(hub: Hub, shelf: FakeHub) -> None:
    the(shelf).closed = "GatedRepo"
    with pytest.raises(ModelLoadError):
        hub.fetch(NAME)
    assert hub.find(NAME) is None
    the(shelf).closed = ""
    first = the(shelf).main
    the(shelf).push(FILES | {"more.json": b"{}"})
    # The same commit as the first time, although there is a newer one.
    assert hub.fetch(NAME).name == first


def test_a_cache_that_was_brought_is_pinned_without_a_network(shelf: FakeHub, tmp_path: Path) -> None:
    elsewhere = Hub(Pins(tmp_path / "elsewhere"), endpoint=shelf.url, cache=tmp_path / "cache")
    snapshot_download(NAME, endpoint=shelf.url, cache_dir=tmp_path / "cache")
    shelf.down = True
    folder = elsewhere.fetch(NAME)
    assert elsewhere.pins.get(NAME) == folder.name == the(shelf).main


@pytest.mark.parametrize("file", ["config.json", "model.safetensors"])
def test_what_is_not_as_announced_is_refused_and_removed(hub: Hub, shelf: FakeHub, file: str) -> None:
    honest = FILES[file]
    the(shelf).announced[file] = honest.replace(b"a", b"b") if file != "config.json" else honest.replace(b"g", b"h")
    with pytest.raises(ModelLoadError, match=rf"{file} is not what the hub announced.*glimt models fetch {NAME}"):
        hub.fetch(NAME)
    assert not hub.pins.checked(NAME, the(shelf).main)
    the(shelf).announced.clear()
    the(shelf).push(FILES | {"more.json": b"{}"})
    assert (hub.fetch(NAME, update=True) / file).read_bytes() == honest


def test_a_file_of_another_length_is_refused(hub: Hub, shelf: FakeHub) -> None:
    the(shelf).announced["model.safetensors"] = weights(b"a") + b"more"
    with pytest.raises(ModelLoadError) as caught:
        hub.fetch(NAME)
    assert "Consistency check failed" in str(caught.value)
    assert not isinstance(caught.value, HubUnreachable)


def test_what_was_damaged_on_the_disk_later_is_found_by_whoever_checks(hub: Hub, tmp_path: Path) -> None:
    folder = hub.fetch(NAME)
    (folder / "model.safetensors").resolve().write_bytes(weights(b"x"))
    another = Hub(Pins(tmp_path / "other"), cache=tmp_path / "cache")
    with pytest.raises(ModelLoadError, match="not what the hub announced"):
        another.find(NAME, folder.name)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        ({"closed": "GatedRepo"}, "accepted its terms.*HF_TOKEN"),
        ({"commits": {}}, "no such commit.*--update"),
    ],
)
def test_what_the_hub_refuses(hub: Hub, shelf: FakeHub, spoil: dict[str, object], says: str) -> None:
    for name, value in spoil.items():
        setattr(the(shelf), name, value)
    with pytest.raises(ModelLoadError, match=says) as caught:
        hub.fetch(NAME, OTHER if "commits" in spoil else "")
    assert not isinstance(caught.value, HubUnreachable)


def test_a_model_that_the_hub_does_not_know(hub: Hub) -> None:
    with pytest.raises(ModelLoadError, match="knows no such model"):
        hub.fetch("some-owner/another")


@pytest.mark.parametrize("how", ["nobody listens", "it is being repaired"])
def test_a_hub_that_does_not_answer(shelf: FakeHub, tmp_path: Path, how: str) -> None:
    shelf.down = True
    endpoint = "http://127.0.0.1:9" if how == "nobody listens" else shelf.url
    hub = Hub(Pins(tmp_path / "pins"), endpoint=endpoint, cache=tmp_path / "cache")
    with pytest.raises(HubUnreachable, match=f"hf download {NAME} --local-dir FOLDER") as caught:
        hub.fetch(NAME)
    assert str(tmp_path) not in caught.value.user_message
    with pytest.raises(HubUnreachable, match=f"--revision {OTHER}"):
        hub.fetch(NAME, OTHER)


def test_a_cache_that_cannot_be_written(shelf: FakeHub, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    hub = Hub(Pins(tmp_path / "pins"), endpoint=shelf.url, cache=tmp_path / "cache")
    with pytest.raises(ModelLoadError):
        hub.fetch(NAME)


def test_pins_that_cannot_be_kept(shelf: FakeHub, tmp_path: Path) -> None:
    (tmp_path / "pins").write_text("a file")
    hub = Hub(Pins(tmp_path / "pins"), endpoint=shelf.url, cache=tmp_path / "cache")
    with pytest.raises(ModelLoadError, match="pin of some-owner/some-model cannot be read"):
        hub.fetch(NAME)
    # With a commit of one's own no pin is needed.
    assert hub.fetch(NAME, the(shelf).main).name == the(shelf).main
