"""Which commit of a model on the hub this installation uses, kept from the first use on.

Names and branches on the hub can be changed by others. What was loaded once is what is loaded again, until somebody
here decides otherwise.
"""

import os
import re
from pathlib import Path
from tempfile import NamedTemporaryFile

COMMIT = re.compile(r"[0-9a-f]{40}")


class Pins:
    """One small file a model in `folder`, which all workers of an installation share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, hub: str) -> str | None:
        """The commit of the model `hub` ("owner/name"), if it was used before."""
        try:
            commit = self._file(hub).read_text(errors="replace").strip()
        except FileNotFoundError:
            return None
        # Cut off when the disk was full, or edited: as if there were none.
        return commit if COMMIT.fullmatch(commit) else None

    def set(self, hub: str, commit: str, *, replace: bool = False) -> str:
        """Keep `commit`, unless another process was first. Returns the one that is kept now."""
        if not replace and (kept := self.get(hub)) is not None:
            return kept
        target = self._file(hub)
        target.parent.mkdir(parents=True, exist_ok=True)
        replace = replace or target.exists()
        with NamedTemporaryFile("w", dir=target.parent, delete=False) as file:
            file.write(commit + "\n")
        try:
            if replace:
                os.replace(file.name, target)
            else:
                # Of two processes that come at once one gets the name; both go on with its commit.
                os.link(file.name, target)
        except FileExistsError:
            return self.get(hub) or commit
        finally:
            Path(file.name).unlink(missing_ok=True)
        return commit

    def checked(self, hub: str, commit: str) -> bool:
        """Whether the files of `commit` were compared with the hub's checksums."""
        return self._mark(hub, commit).exists()

    def set_checked(self, hub: str, commit: str) -> None:
        """Remember that they were, and are good."""
        mark = self._mark(hub, commit)
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()

    def _file(self, hub: str) -> Path:
        return self._folder / hub.replace("/", "--")

    def _mark(self, hub: str, commit: str) -> Path:
        return self._folder / f"{hub.replace('/', '--')}@{commit}"
