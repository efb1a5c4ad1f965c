"""A reader process: decodes one picture after another for its parent, in a cage. Started by `core.media.reader`.

Why a process: 1,700 bytes of PDF (forms that contain forms, twelve deep) make PDFium allocate until the process dies,
and no library call bounds that; a flaw in any C decoder kills whoever hosts it. Here the kernel bounds memory and time,
nothing secret is in the environment, no file can be written, and whoever asked only loses this picture.
"""

import os
import resource
import signal
import sys
from contextlib import suppress
from dataclasses import asdict

from core.errors import PictureError
from core.media.decode import decode
from core.media.limits import PictureLimits
from core.media.sniff import Format
from core.media.wire import receive, send

# Bytes of address space: what the interpreter and the libraries take, and the dearest format (WebP with alpha) with its
# copies. Measured: 25 megapixels take at most 627 MiB, of 1,084 MiB allowed.
_MEMORY = 512 * 1024 * 1024
_MEMORY_PER_PIXEL = 24


def main() -> None:
    """Serve requests from standard input until it closes. Argument: seconds for each picture."""
    seconds = float(sys.argv[1])
    # Whatever a library prints must not get between our messages, and is a stranger's text besides.
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    _cage()
    send(replies, {"ready": True})
    while True:
        try:
            request, (data,) = receive(requests)
        except EOFError:
            return
        # SIGALRM's default action ends the process also from within C code, and also when our parent has died.
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            limits = PictureLimits(**request["limits"])
            _limit(resource.RLIMIT_AS, _MEMORY + _MEMORY_PER_PIXEL * limits.max_pixels)
            pictures = decode(data, Format(request["format"]), limits)
        except PictureError as error:
            signal.setitimer(signal.ITIMER_REAL, 0)
            send(replies, {"error": error.code, "detail": str(error), "message": error.user_message})
        else:
            signal.setitimer(signal.ITIMER_REAL, 0)
            described = [asdict(picture) | {"data": None} for picture in pictures]
            send(replies, {"pictures": described}, [picture.data for picture in pictures])


def _cage() -> None:
    # Ctrl-C goes to the whole group; our parent decides when we end, by closing our input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_CORE, 0)


def _limit(what: int, most: int) -> None:
    # macOS refuses some of them; time is bounded there all the same.
    with suppress(ValueError, OSError):
        resource.setrlimit(what, (most, resource.getrlimit(what)[1]))


if __name__ == "__main__":
    main()
