import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import fsspec
import pytest
from moto.server import ThreadedMotoServer

from core.errors import ConfigurationError, NotFound, StoreError
from core.media.blobs import BlobStore
from core.media.pictures import read_pictures
from core.values import utc_now
from tests.unit.media.corpus import LIMITS, one_of_each

DATA = b"a blob of some bytes" * 100
KEY = sha256(DATA).hexdigest()
ACCOUNT = {"key": "test", "secret": "test", "client_kwargs": {"region_name": "eu-north-1"}}


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """A real server that speaks S3, on loopback."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def s3_store(endpoint: str, url: str) -> BlobStore:
    return BlobStore(url, {"endpoint_url": endpoint, **ACCOUNT})


@pytest.fixture(params=["file", "memory", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    if request.param == "file":
        return BlobStore(f"file://{tmp_path}/deep/blobs")
    if request.param == "memory":
        return BlobStore(f"memory://{uuid4().hex}/blobs")
    endpoint = request.getfixturevalue("s3_endpoint")
    bucket = f"glimt-{uuid4().hex}"
    fsspec.filesystem("s3", endpoint_url=endpoint, **ACCOUNT).mkdir(bucket)
    return s3_store(endpoint, f"s3://{bucket}/pictures/")


def test_what_was_put_can_be_got(store: BlobStore) -> None:
    assert not store.exists(KEY)
    assert store.put(DATA) == KEY
    assert store.exists(KEY)
    assert store.get(KEY) == DATA


def test_the_key_of_a_picture_is_the_key_of_its_blob(store: BlobStore) -> None:
    (picture,) = read_pictures(one_of_each()["jpeg"], LIMITS)
    assert store.put(picture.data) == picture.key


def test_no_bytes_are_a_blob_too(store: BlobStore) -> None:
    assert store.get(store.put(b"")) == b""


def test_a_deleted_blob_is_gone_and_deleting_again_is_harmless(store: BlobStore) -> None:
    store.put(DATA)
    store.delete(KEY)
    store.delete(KEY)
    assert not store.exists(KEY)
    with pytest.raises(NotFound):
        store.get(KEY)
    assert store.put(DATA) == KEY
    assert store.get(KEY) == DATA


@pytest.mark.parametrize(
    "key",
    [
        "",
        "..",
        "../../../etc/passwd",
        "/etc/passwd",
        KEY[:-1],
        KEY + "0",
        KEY.upper(),
        KEY + "\n",
        "../" + KEY[3:],
        KEY[:-1] + "\0",
        "٣" * 64,
    ],
    ids=ascii,
)
def test_a_key_that_none_can_be_never_reaches_the_storage(store: BlobStore, key: str) -> None:
    for operation in (store.get, store.exists, store.delete):
        with pytest.raises(NotFound):
            operation(key)


def test_many_threads_put_the_same_bytes(store: BlobStore) -> None:
    gate = threading.Barrier(8)

    def put(number: int) -> str:
        gate.wait(30)
        key = store.put(DATA)
        assert store.get(key) == DATA
        store.put(DATA + bytes([number]))
        return key

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(put, range(8))) == {KEY}
    assert all(store.exists(sha256(DATA + bytes([number])).hexdigest()) for number in range(8))


def test_the_keys_are_those_of_all_blobs_and_of_nothing_else(store: BlobStore) -> None:
    assert list(store.keys()) == []
    keys = [store.put(bytes([n])) for n in range(20)]
    deleted = keys.pop()
    store.delete(deleted)
    assert sorted(store.keys()) == sorted(keys)


def test_it_is_known_when_a_blob_was_last_put(store: BlobStore) -> None:
    with pytest.raises(NotFound):
        store.put_at(KEY)
    # Some storages count whole seconds.
    before = utc_now() - timedelta(seconds=2)
    store.put(DATA)
    first = store.put_at(KEY)
    store.put(DATA)
    assert before <= first <= store.put_at(KEY) <= utc_now() + timedelta(seconds=2)


def test_two_stores_of_one_folder_see_each_other(tmp_path: Path) -> None:
    first, second = BlobStore(f"file://{tmp_path}"), BlobStore(f"file://{tmp_path}")
    assert not second.exists(KEY)
    first.put(DATA)
    assert second.get(KEY) == DATA


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_equal_bytes_are_kept_once_in_sharded_folders(tmp_path: Path) -> None:
    store = BlobStore(f"file://{tmp_path}")
    store.put(DATA)
    (path,) = files(tmp_path)
    before = path.stat()
    store.put(DATA)
    assert path.relative_to(tmp_path) == Path(KEY[:2], KEY[2:4], KEY)
    assert files(tmp_path) == [path]
    assert path.stat().st_ino == before.st_ino


def test_bytes_that_are_put_again_are_new_ones(tmp_path: Path) -> None:
    store = BlobStore(f"file://{tmp_path}")
    store.put(DATA)
    (path,) = files(tmp_path)
    os.utime(path, (0, 0))
    assert store.put_at(KEY).year == 1970
    before = utc_now() - timedelta(seconds=2)
    store.put(DATA)
    assert store.put_at(KEY) >= before


def test_whatever_else_lies_in_the_folder_is_no_blob(tmp_path: Path) -> None:
    store = BlobStore(f"file://{tmp_path}")
    store.put(DATA)
    for other in ("notes.txt", "ab/.part-1", f"other/{KEY}"):
        (tmp_path / other).parent.mkdir(exist_ok=True)
        (tmp_path / other).write_text("mine")
    assert list(store.keys()) == [KEY]


def test_only_we_can_read_local_blobs(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        BlobStore(f"file://{tmp_path}/blobs").put(DATA)
    finally:
        os.umask(old)
    (path,) = files(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for folder in (path.parent, path.parent.parent, tmp_path / "blobs"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    store = BlobStore(f"file://{tmp_path}")
    # A folder where the blob should be: the last step, the move, fails.
    (tmp_path / KEY[:2]).mkdir()
    (tmp_path / KEY[:2] / KEY[2:4]).write_text("in the way")
    with pytest.raises(StoreError) as failed:
        store.put(DATA)
    assert failed.value.retryable
    assert [path.name for path in files(tmp_path)] == [KEY[2:4]]


def test_a_damaged_blob_is_noticed(tmp_path: Path) -> None:
    store = BlobStore(f"file://{tmp_path}")
    store.put(DATA)
    (path,) = files(tmp_path)
    path.write_bytes(DATA[:-1])
    with pytest.raises(StoreError, match="damaged"):
        store.get(KEY)


def test_a_bucket_that_is_not_there(s3_endpoint: str) -> None:
    store = s3_store(s3_endpoint, f"s3://nobody-made-{uuid4().hex}/x")
    with pytest.raises(NotFound):
        store.get(KEY)
    with pytest.raises(StoreError) as failed:
        store.put(DATA)
    assert not isinstance(failed.value, NotFound)


def test_a_server_that_is_not_there() -> None:
    quick = {"config_kwargs": {"connect_timeout": 1, "retries": {"max_attempts": 1}}}
    store = BlobStore("s3://bucket/x", {"endpoint_url": "http://127.0.0.1:9", **ACCOUNT, **quick})
    with pytest.raises(StoreError) as failed:
        store.get(KEY)
    assert failed.value.retryable


@pytest.mark.parametrize("url", ["nonsense://somewhere/x", "s3://", "s3:///", "memory://"])
def test_a_url_that_cannot_work_is_the_operators_to_mend(url: str) -> None:
    with pytest.raises(ConfigurationError, match="GLIMT_BLOBS_URL"):
        BlobStore(url)


def test_a_missing_package_is_named_without_showing_what_the_url_holds() -> None:
    # fsspec knows the protocol; its package (gcsfs) is none of ours.
    with pytest.raises(ConfigurationError, match="package that is missing") as refused:
        BlobStore("gs://user:hunter2@bucket/blobs")
    assert "gcsfs" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_s3_without_its_extra_says_what_to_install() -> None:
    # In a process of its own, in which s3fs cannot be imported.
    script = (
        "import sys\n"
        "sys.modules['s3fs'] = None\n"
        "from core.errors import ConfigurationError\n"
        "from core.media.blobs import BlobStore\n"
        "try:\n    BlobStore('s3://bucket/blobs')\n"
        "except ConfigurationError as error:\n    print(error)\n"
    )
    root = Path(__file__).parents[3]
    said = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, timeout=60)
    assert "pip install 'glimt[s3]'" in said.stdout, said.stderr
