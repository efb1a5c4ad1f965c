"""Models on a hub: which commit, whether it is here, fetching it, and comparing it with the hub's checksums."""

import errno
import hashlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from core.errors import HubUnreachable, ModelLoadError
from core.inference.pins import Pins
from core.settings import Settings

if TYPE_CHECKING:
    from huggingface_hub.hf_api import RepoFile

log = structlog.get_logger(__name__)

# No pickles, no code: what is not fetched cannot be loaded by mistake.
FILES = ["*.json", "*.safetensors", "*.jinja", "*.txt", "*.model"]
_BRANCH = "main"
_PATIENCE_S = 30.0
_READ_BYTES = 2**20
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS)


class Hub:
    """The hub that huggingface_hub speaks to: `HF_ENDPOINT`, `HF_HOME`, `HF_TOKEN` and `HF_HUB_OFFLINE` are its own.

    `endpoint` and `cache` stand in for the first two. Files are those of `FILES`. With `progress` bars are drawn on
    stderr while something is fetched.
    """

    def __init__(
        self, pins: Pins, *, endpoint: str | None = None, cache: Path | None = None, progress: bool = False
    ) -> None:
        self.pins = pins
        self._endpoint = endpoint
        self._cache = cache
        self._progress = progress

    @classmethod
    def of(cls, settings: Settings, *, progress: bool = False) -> "Hub":
        """The hub of an installation, which keeps its pins in the data folder."""
        return cls(Pins(settings.data_dir / "models" / "pins"), progress=progress)

    def find(self, name: str, revision: str = "") -> Path | None:
        """The folder of a model that is here, complete and checked; nothing is fetched. Without `revision` it is the
        pinned one, or the one that somebody brought into the cache as the newest, which is pinned now.

        Raises:
            ModelLoadError: its files are not those that the hub announced.
        """
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import LocalEntryNotFoundError

        wanted = revision or self._pinned(name)
        try:
            folder = Path(
                snapshot_download(
                    name,
                    revision=wanted or _BRANCH,
                    cache_dir=self._cache,
                    local_files_only=True,
                    allow_patterns=FILES,
                )
            )
        except LocalEntryNotFoundError:
            return None
        # A download that was given up may have left some of the small files.
        if not (folder / "config.json").is_file() or not any(folder.glob("*.safetensors")):
            return None
        if wanted is None:
            self._pin(name, folder.name)
        self._check(name, folder)
        return folder

    def fetch(self, name: str, revision: str = "", *, update: bool = False) -> Path:
        """The folder of a model, fetched if it is not here. Without `revision` it is the pinned one; the first time,
        and with `update`, it is what the hub shows now, which is pinned. An update that fails leaves the pin as it was.

        Raises:
            HubUnreachable: it is not here, and the hub does not answer.
            ModelLoadError: the hub refuses, the disk is full, or what came is not what the hub announced.
        """
        if not update and (folder := self.find(name, revision)) is not None:
            return folder
        known = revision or ("" if update else self._pinned(name) or "")
        try:
            commit = self._ask(name, known or _BRANCH)
            if not revision and not update:
                commit = self._pin(name, commit)
            folder = self._download(name, commit)
        except ModelLoadError:
            raise
        except Exception as error:
            raise _explained(error, name, known) from error
        self._check(name, folder)
        if update:
            self._pin(name, commit, replace=True)
        return folder

    def _ask(self, name: str, revision: str) -> str:
        """The commit that `revision` is. Where nobody answers it fails at once; what comes later tries for long."""
        from huggingface_hub import HfApi

        commit = HfApi(endpoint=self._endpoint).model_info(name, revision=revision, timeout=_PATIENCE_S).sha
        if commit is None:
            raise ModelLoadError(f"the hub did not say which commit {revision!r} of {name} is")
        return commit

    def _pinned(self, name: str) -> str | None:
        try:
            return self.pins.get(name)
        except OSError as error:
            raise ModelLoadError(f"the pin of {name} cannot be read ({error}).") from error

    def _pin(self, name: str, commit: str, *, replace: bool = False) -> str:
        try:
            before = self.pins.get(name)
            kept = self.pins.set(name, commit, replace=replace)
        except OSError as error:
            raise ModelLoadError(
                f"the commit of {name} cannot be kept in the data folder ({error}). Give the right to write there, or "
                f"set GLIMT_MODEL_REVISION={commit}."
            ) from error
        if kept != before:
            log.info("model_pinned", model=name, commit=kept, before=before)
        return kept

    def _download(self, name: str, commit: str) -> Path:
        from huggingface_hub import constants, snapshot_download
        from huggingface_hub.utils.tqdm import disable_progress_bars, enable_progress_bars

        # Bars written past the log would break its lines.
        disable_progress_bars()
        cache, endpoint = self._cache or Path(constants.HF_HUB_CACHE), self._endpoint
        planned = snapshot_download(
            name, revision=commit, endpoint=endpoint, cache_dir=cache, allow_patterns=FILES, dry_run=True
        )
        missing = sum(file.file_size or 0 for file in planned if file.will_download)
        cache.mkdir(parents=True, exist_ok=True)
        if missing > (free := shutil.disk_usage(cache).free):
            raise ModelLoadError(
                f"{name} at {commit} is {missing / 2**30:.1f} GiB to fetch, and {free / 2**30:.1f} GiB are free in "
                f"{cache}. Free some, or set HF_HOME to a folder on a larger disk."
            )
        log.info("model_fetching", model=name, commit=commit, mib=missing >> 20, to=str(cache))
        if self._progress:
            enable_progress_bars()
        return Path(snapshot_download(name, revision=commit, endpoint=endpoint, cache_dir=cache, allow_patterns=FILES))

    def _check(self, name: str, folder: Path) -> None:
        """Compare the files with the hub's checksums, once. Where the list is not here, as with an old cache that was
        brought, only lengths are compared, when the model is loaded.

        Raises:
            ModelLoadError: one differs. It is removed, so that the next fetch brings it anew.
        """
        from huggingface_hub import get_cached_repo_tree
        from huggingface_hub.errors import CachedRepoTreeNotFoundError

        folder = folder.resolve()
        commit = folder.name
        if self.pins.checked(name, commit):
            return
        try:
            announced = get_cached_repo_tree(name, revision=commit, cache_dir=self._cache)
        except CachedRepoTreeNotFoundError:
            log.warning("model_unchecked", model=name, commit=commit, reason="no list of checksums beside the files")
            return
        for file in announced:
            path = folder / file.path
            if path.is_file() and not _is_as_announced(path, file):
                _remove(path, folder.parent.parent)
                raise ModelLoadError(
                    f"{name} at {commit}: {file.path} is not what the hub announced; it was damaged or exchanged on "
                    f"its way. It is removed here. Fetch it again: glimt models fetch {name} --revision {commit}"
                )
        try:
            self.pins.set_checked(name, commit)
        except OSError as error:
            # They are compared again at the next start.
            log.warning("model_check_not_kept", model=name, error=str(error))


def _remove(path: Path, repository: Path) -> None:
    """Remove a file of the cache and what it stands for. A cache that was brought may lead anywhere: nothing else."""
    for one in (path.resolve(), path):
        if Path(os.path.normpath(one)).is_relative_to(repository):
            one.unlink(missing_ok=True)


def _is_as_announced(path: Path, file: "RepoFile") -> bool:
    """Large files are announced with their SHA-256, small ones with git's name for their content."""
    if file.lfs is not None:
        digest, announced = hashlib.sha256(), file.lfs.sha256
    else:
        digest, announced = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False), file.blob_id
    with path.open("rb") as content:
        while chunk := content.read(_READ_BYTES):
            digest.update(chunk)
    return digest.hexdigest() == announced


def bring(name: str, commit: str = "") -> str:
    """How to bring the files of a model to a machine that cannot fetch them."""
    revision = f" --revision {commit}" if commit else ""
    return (
        f"On a machine with a network: `hf download {name}{revision} --local-dir FOLDER` (pip install "
        "huggingface_hub). Bring the folder here and set GLIMT_MODEL=FOLDER."
    )


def _explained(error: Exception, name: str, commit: str) -> ModelLoadError:
    """What went wrong at the hub, and what to do."""
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError

    # huggingface_hub hides the answer behind what it means for its cache.
    cause: BaseException = error
    while not isinstance(cause, HfHubHTTPError) and cause.__cause__ is not None:
        cause = cause.__cause__
    what = f"{name} at {commit}" if commit else name
    said = f"{type(cause).__name__}: {str(cause).strip().splitlines()[0] if str(cause).strip() else 'no reason given'}"
    if isinstance(cause, GatedRepoError):
        return ModelLoadError(
            f"{what} may be fetched only by those who have accepted its terms. Do so on its page on the hub, make a "
            "token there, and set HF_TOKEN."
        )
    if isinstance(cause, RevisionNotFoundError):
        return ModelLoadError(
            f"{what}: the hub has no such commit (any more). For a preset `glimt models fetch NAME --update` takes "
            "what is there now; otherwise correct GLIMT_MODEL_REVISION."
        )
    if isinstance(cause, RepositoryNotFoundError):
        return ModelLoadError(
            f"{what}: the hub knows no such model, or shows it only to some. Check the name; if it is a private one, "
            "set HF_TOKEN."
        )
    if isinstance(cause, OSError) and cause.errno in _DISK:
        return ModelLoadError(f"{what} cannot be kept here ({said}). Make room or give the right to write there.")
    # The plain OSError is huggingface_hub's for a file of another length than announced.
    if (isinstance(cause, HfHubHTTPError) and cause.response.status_code < 500) or type(cause) is OSError:
        return ModelLoadError(f"{what} cannot be fetched ({said}). {bring(name, commit)}")
    return HubUnreachable(f"{what} is not here, and the hub cannot be reached ({said}). {bring(name, commit)}")
