"""The reader processes themselves: that they are caged, that their death is survived, that nothing is mixed up."""

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from io import BytesIO
from pathlib import Path

import psutil
import pytest
from PIL import Image

from core.errors import PictureBroken, PictureError, PictureReaderUnavailable
from core.media.limits import PictureLimits
from core.media.pictures import read_pictures
from core.media.reader import Reader
from core.media.wire import receive, send
from tests.unit.media.corpus import LIMITS, near, one_of_each, saved
from tests.unit.media.test_bombs import nested_forms

ROOT = Path(__file__).parents[3]


def readers() -> list[psutil.Process]:
    """The reader processes that this process has started and that still live."""
    return [
        child
        for child in psutil.Process().children()
        if child.status() != psutil.STATUS_ZOMBIE and "core.media.reader_process" in child.cmdline()
    ]


def started(reader: Reader) -> psutil.Process:
    """The one process behind a reader that just came to be."""
    before = {process.pid for process in readers()}
    read_pictures(one_of_each()["png"], LIMITS, reader)
    (process,) = [process for process in readers() if process.pid not in before]
    return process


def test_a_process_is_kept_for_the_next_picture_and_ended_by_close() -> None:
    with closing(Reader(processes=1)) as reader:
        process = started(reader)
        count = len(readers())
        read_pictures(one_of_each()["gif"], LIMITS, reader)
        assert len(readers()) == count
        reader.close()
        assert not process.is_running()
        assert len(read_pictures(one_of_each()["gif"], LIMITS, reader)) == 1


def test_a_refusal_does_not_cost_the_process() -> None:
    with closing(Reader(processes=1)) as reader:
        process = started(reader)
        with pytest.raises(PictureBroken):
            read_pictures(one_of_each()["png"][:60], LIMITS, reader)
        read_pictures(one_of_each()["png"], LIMITS, reader)
        assert process.is_running()
        assert reader.lost == 0


def test_a_killed_process_is_replaced() -> None:
    with closing(Reader(processes=1)) as reader:
        process = started(reader)
        process.send_signal(signal.SIGKILL)
        with pytest.raises(PictureError):
            read_pictures(one_of_each()["png"], LIMITS, reader)
        assert reader.lost == 1
        assert started(reader).pid != process.pid


def test_a_file_that_takes_too_long_is_given_up() -> None:
    with closing(Reader(processes=1, seconds=0.5)) as reader:
        with pytest.raises(PictureError, match="to decode") as refused:
            # More pixels, more memory: time runs out first.
            read_pictures(nested_forms(11, 10), PictureLimits(10_000_000, 100_000_000, 10), reader)
        assert "takes too long" in refused.value.user_message
        assert reader.lost == 1
        assert len(read_pictures(one_of_each()["bmp"], LIMITS, reader)) == 1


def test_nothing_secret_is_in_the_environment_of_a_process() -> None:
    with closing(Reader(processes=1)) as reader:
        names = set(started(reader).environ())
    assert names <= {"PATH", "PYTHONPATH", "MALLOC_ARENA_MAX", "LD_LIBRARY_PATH", "LANG", "TZ", "LC_CTYPE"}


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="limits of another process are read from /proc")
def test_memory_is_bounded_and_no_file_can_be_written() -> None:
    with closing(Reader(processes=1)) as reader:
        process = started(reader)
        assert 256 * 1024**2 < process.rlimit(psutil.RLIMIT_AS)[0] < 2 * 1024**3
        assert process.rlimit(psutil.RLIMIT_FSIZE)[0] == 0
        assert process.rlimit(psutil.RLIMIT_CORE)[0] == 0
        open_files = {os.readlink(f"/proc/{process.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{process.pid}/fd")}
        assert {name for name in open_files if not name.startswith("pipe:")} == {os.devnull}


def test_decoders_are_loaded_in_the_readers_only() -> None:
    check = "import sys, core.media.pictures as p; sys.exit(any(m in sys.modules for m in ('PIL', 'pypdfium2')))"
    assert subprocess.run([sys.executable, "-c", check], cwd=ROOT, timeout=60).returncode == 0


def test_a_reader_does_not_outlive_its_parent() -> None:
    script = (
        "import sys, psutil\n"
        "from core.media.limits import PictureLimits\n"
        "from core.media.pictures import read_pictures\n"
        "read_pictures(sys.stdin.buffer.read(), PictureLimits(10**7, 10**6, 1))\n"
        "print(psutil.Process().children()[0].pid, flush=True)\n"
        "import threading; threading.Event().wait()\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert parent.stdin is not None
    assert parent.stdout is not None
    with parent:
        parent.stdin.write(one_of_each()["png"])
        parent.stdin.close()
        orphan = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    gone, alive = psutil.wait_procs([orphan], timeout=30)
    assert (gone, alive) == ([orphan], [])


def test_a_program_that_cannot_be_started_is_our_fault_and_not_the_pictures() -> None:
    for python in ("/nowhere/python", "/bin/false"):
        with pytest.raises(PictureReaderUnavailable) as unavailable:
            read_pictures(one_of_each()["png"], LIMITS, Reader(processes=1, python=python))
        assert unavailable.value.retryable


def test_many_threads_get_their_own_pictures() -> None:
    colours = [(i * 8, 255 - i * 8, i * 40 % 256) for i in range(32)]
    files = [saved(Image.new("RGB", (40 + i, 30), colour), "PNG") for i, colour in enumerate(colours)]
    gate = threading.Barrier(8)

    def ask(index: int) -> tuple[int, tuple[int, ...]]:
        if index < 8:
            gate.wait(30)
        (picture,) = read_pictures(files[index], LIMITS, reader)
        pixel = Image.open(BytesIO(picture.data)).getpixel((5, 5))
        assert isinstance(pixel, tuple)
        return picture.width, pixel

    before = len(readers())
    with closing(Reader(processes=3)) as reader, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(32)))
        assert 1 <= len(readers()) - before <= 3
    for index, (width, pixel) in enumerate(answers):
        assert width == 40 + index
        assert near(pixel, colours[index], 0)


def test_good_pictures_come_through_while_bombs_go_off() -> None:
    bomb, good = nested_forms(11, 10), one_of_each()["webp"]

    def ask(data: bytes) -> int:
        try:
            return len(read_pictures(data, LIMITS, reader))
        except PictureError:
            return 0

    with closing(Reader(processes=2, seconds=2)) as reader, ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, [bomb, good, good, bomb, good, good]))
        assert answers == [0, 1, 1, 0, 1, 1]
        assert reader.lost == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_after_a_fork_nobody_reads_from_the_others_pipe() -> None:
    with closing(Reader(processes=1)) as reader:
        process = started(reader)
        out, into = os.pipe()
        child = os.fork()
        if child == 0:
            # Nothing of pytest may run in the child, whatever happens.
            try:
                pictures = read_pictures(one_of_each()["gif"], LIMITS, reader)
                own = [p for p in readers() if p.pid != process.pid]
                os.write(into, b"own" if len(pictures) == len(own) == 1 else b"shared")
                reader.close()
            finally:
                os._exit(0)
        os.close(into)
        with os.fdopen(out, "rb") as answer:
            assert answer.read() == b"own"
        os.waitpid(child, 0)
        assert len(read_pictures(one_of_each()["png"], LIMITS, reader)) == 1
        assert reader.lost == 0


def test_messages_that_announce_the_impossible_are_refused() -> None:
    for body in (b'{"sizes":[1099511627776]}', b'{"sizes":[-1]}', b'{"sizes":["1"]}', b'{"sizes":"many"}', b"[]"):
        with pytest.raises(ValueError, match=r"sizes|message"):
            receive(BytesIO(len(body).to_bytes(4, "big") + body))
    with pytest.raises(ValueError, match="header"):
        receive(BytesIO(b"\xff\xff\xff\xff"))
    with pytest.raises(EOFError):
        receive(BytesIO(b"\0\0"))


def test_a_message_comes_through_as_it_was_sent() -> None:
    buffer = BytesIO()
    send(buffer, {"a": "ø"}, [b"", b"\0" * 70_000])
    buffer.seek(0)
    assert receive(buffer) == ({"a": "ø"}, [b"", b"\0" * 70_000])
