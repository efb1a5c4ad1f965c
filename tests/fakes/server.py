"""A fake as a context manager: its loop runs and its servers answer within the block, which fails when a rule was
broken."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from tests.fakes.loopback import Loopback
from tests.fakes.waiting import Waiting


class FakeServer(Waiting):
    """Its parts open in `_open` and close in `_close`, both in its loop."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._loopback = Loopback(name)
        self.loop = self._loopback.loop

    def __enter__(self) -> Self:
        self._loopback.start()
        self._loopback.run(self._open())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loopback.run(self._close())
        self._loopback.stop()
        if kind is None:
            self.check()

    async def _open(self) -> None:
        raise NotImplementedError

    async def _close(self) -> None:
        raise NotImplementedError
