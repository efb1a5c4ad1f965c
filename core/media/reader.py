"""Hands strangers' bytes to reader processes, and outlives whatever the bytes do to them."""

import atexit
import os
import signal
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path

from core.errors import PictureBroken, PictureError, PictureReaderUnavailable
from core.media.limits import PictureLimits
from core.media.safe_picture import SafePicture
from core.media.sniff import Format
from core.media.wire import receive, send

# Ten dense PDF pages take a few seconds on one slow core.
_SECONDS = 20.0
_PROCESSES = 2
# Then it is replaced, before leaks in C libraries add up.
_PICTURES_EACH = 500
_MEDIA_TYPES = {"image/png", "image/jpeg"}
_ROOT = Path(__file__).parents[2]
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "LANG", "TZ", "SYSTEMROOT")


class _Process:
    """One reader process; used by one thread at a time."""

    def __init__(self, python: str, seconds: float) -> None:
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        # Exactly the parent's import path, without its working folder's tricks. One malloc arena: address space counts.
        environment["PYTHONPATH"] = os.pathsep.join([str(_ROOT), *filter(None, sys.path)])
        environment["MALLOC_ARENA_MAX"] = "1"
        command = [python, "-P", "-m", "core.media.reader_process", str(seconds)]
        self._popen = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        self._requests, self._replies = self._popen.stdin, self._popen.stdout
        self.owner = os.getpid()
        self.served = 0

    def wait_until_ready(self) -> None:
        receive(self._replies)

    def read(self, data: bytes, name: Format, limits: PictureLimits) -> list[SafePicture]:
        self.served += 1
        send(self._requests, {"format": name.value, "limits": asdict(limits)}, [data])
        reply, blobs = receive(self._replies)
        if "error" in reply:
            raise _ERRORS.get(reply["error"], PictureError)(str(reply["detail"]), user_message=str(reply["message"]))
        # The key is computed here, and the rest is checked: a reader that was taken over lies about its picture only.
        return [_picture(described, blob) for described, blob in zip(reply["pictures"], blobs, strict=True)]

    def end(self) -> int:
        """Kill it where it still runs; the exit status, negative for a signal."""
        self._popen.kill()
        status = self._popen.wait()
        for stream in (self._requests, self._replies):
            try:
                stream.close()
            except OSError:
                # Bytes that were still buffered for it.
                continue
        return status


class Reader:
    """Decodes pictures in up to `processes` processes of `python`, each started when first needed. Thread-safe.

    A process that dies or takes longer than `seconds` for a file costs that file only. `lost` counts them.
    """

    def __init__(self, *, processes: int = _PROCESSES, seconds: float = _SECONDS, python: str = sys.executable) -> None:
        self._seconds = seconds
        self._python = python
        self._free = threading.BoundedSemaphore(processes)
        self._idle: list[_Process] = []
        self._lock = threading.Lock()
        self.lost = 0

    def read(self, data: bytes, name: Format, limits: PictureLimits) -> list[SafePicture]:
        """One safe picture, or one for each page of a PDF. Waits while all processes are busy.

        Raises:
            PictureError: this file cannot be used.
            PictureReaderUnavailable: no process could be started.
        """
        with self._free:
            process = self._take()
            try:
                pictures = process.read(data, name, limits)
            except PictureError:
                self._give_back(process)
                raise
            except (EOFError, OSError, ValueError, KeyError, TypeError) as error:
                # Gone, or no longer speaking our language, which only a reader that was taken over does.
                raise self._lost(process) from error
            except BaseException:
                # Its pipe may hold half a message: no other picture may be read from it.
                process.end()
                raise
            self._give_back(process)
            return pictures

    def close(self) -> None:
        """End the idle processes. Later reads start new ones."""
        with self._lock:
            idle, self._idle = self._idle, []
        for process in idle:
            process.end()

    def _take(self) -> _Process:
        with self._lock:
            # After a fork parent and child would share the pipes, and each other's pictures.
            self._idle = [process for process in self._idle if process.owner == os.getpid()]
            if self._idle:
                return self._idle.pop()
        process = None
        try:
            process = _Process(self._python, self._seconds)
            process.wait_until_ready()
        except (OSError, EOFError, ValueError) as error:
            status = process.end() if process is not None else None
            raise PictureReaderUnavailable(f"a reader process did not start ({status}): {error}") from error
        return process

    def _give_back(self, process: _Process) -> None:
        if process.served >= _PICTURES_EACH:
            process.end()
            return
        with self._lock:
            self._idle.append(process)

    def _lost(self, process: _Process) -> PictureError:
        status = process.end()
        with self._lock:
            self.lost += 1
        if status == -signal.SIGALRM:
            return PictureError(
                f"more than {self._seconds} s to decode",
                user_message="This file takes too long to open. Please send it as JPEG or PNG.",
            )
        return PictureError(f"a reader process ended with {status}")


def _picture(described: dict[str, object], data: bytes) -> SafePicture:
    media_type, width, height = described["media_type"], described["width"], described["height"]
    if media_type not in _MEDIA_TYPES or not isinstance(width, int) or not isinstance(height, int):
        raise PictureBroken(f"a reader process answered {media_type!r}, {width!r} x {height!r}")
    return SafePicture.of(data, str(media_type), width, height)


def _tree(kind: type[PictureError]) -> dict[str, type[PictureError]]:
    return {kind.code: kind} | {code: each for sub in kind.__subclasses__() for code, each in _tree(sub).items()}


_ERRORS = _tree(PictureError)
# One for this program: nothing runs until the first picture comes.
READER = Reader()
atexit.register(READER.close)
