"""A model hub on loopback, as far as huggingface_hub asks one: what a branch is now, the files of a commit, the bytes.

It is strict: whatever else it is asked is answered with 400 and kept in `unexpected`.
"""

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_INFO = re.compile(r"/api/models/([\w.-]+/[\w.-]+)/revision/([\w.-]+)")
_TREE = re.compile(r"/api/models/([\w.-]+/[\w.-]+)/tree/([0-9a-f]{40})\?.*recursive=[Tt]rue.*")
_FILE = re.compile(r"/([\w.-]+/[\w.-]+)/resolve/([0-9a-f]{40})/([\w.-]+)")
_RANGE = re.compile(r"bytes=(\d+)-")


@dataclass
class Repository:
    """A model: files by commit, and the commit that `main` is now. `closed`: the code of a refusal, as for a gated one.

    `announced` stands in for the bytes of a file where checksums are made: what comes is then not what was announced.
    """

    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    main: str = ""
    closed: str = ""
    announced: dict[str, bytes] = field(default_factory=dict)

    def push(self, files: dict[str, bytes]) -> str:
        """A new commit of `files` on main."""
        names = json.dumps([len(self.commits), sorted(files)])
        self.main = hashlib.sha1(names.encode()).hexdigest()
        self.commits[self.main] = files
        return self.main


class FakeHub:
    """`repositories` by name. `asked` are the lines of all requests; `cut_after` breaks the next transfer of a large
    file off after so many bytes."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.repositories: dict[str, Repository] = {}
        self.asked: list[str] = []
        self.ranges: list[int] = []
        self.unexpected: list[str] = []
        self.cut_after: int | None = None
        self.down = False

    def add(self, name: str, files: dict[str, bytes]) -> Repository:
        """A new model with one commit."""
        repository = self.repositories[name] = Repository()
        repository.push(files)
        return repository


@contextmanager
def fake_hub() -> Iterator[FakeHub]:
    """A running hub."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    hub = FakeHub(f"http://127.0.0.1:{server.server_port}")
    server.hub = hub  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    @property
    def hub(self) -> FakeHub:
        found = self.server.hub  # type: ignore[attr-defined]
        assert isinstance(found, FakeHub)
        return found

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        self.hub.asked.append(f"{self.command} {self.path}")
        if self.hub.down:
            return self._refuse(503, "", "The hub is being repaired")
        for pattern, answer in ((_INFO, self._info), (_TREE, self._tree), (_FILE, self._file)):
            if found := pattern.fullmatch(self.path):
                repository = self.hub.repositories.get(found[1])
                if repository is None:
                    # As the real one: it does not tell strangers what it has.
                    return self._refuse(401, "RepoNotFound", "Invalid username or password.")
                return answer(repository, *found.groups())
        self.hub.unexpected.append(f"{self.command} {self.path}")
        return self._refuse(400, "", "The fake hub does not know this")

    def _info(self, repository: Repository, name: str, revision: str) -> None:
        commit = repository.main if revision == "main" else revision
        if commit not in repository.commits:
            return self._refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        files = [{"rfilename": path} for path in repository.commits[commit]]
        return self._json({"id": name, "sha": commit, "siblings": files})

    def _tree(self, repository: Repository, _name: str, commit: str) -> None:
        if commit not in repository.commits:
            return self._refuse(404, "RevisionNotFound", f"Invalid rev id: {commit}")
        return self._json([_entry(repository, path, data) for path, data in repository.commits[commit].items()])

    def _file(self, repository: Repository, _name: str, commit: str, path: str) -> None:
        if repository.closed:
            return self._refuse(401, repository.closed, "Access to this model is restricted.")
        data = repository.commits.get(commit, {}).get(path)
        if data is None:
            return self._refuse(404, "EntryNotFound", "Entry not found")
        entry = _entry(repository, path, data)
        start = 0
        if self.command == "GET" and (asked := _RANGE.fullmatch(self.headers.get("Range", ""))):
            start = int(asked[1])
            self.hub.ranges.append(start)
        self.send_response(206 if start else 200)
        self.send_header("ETag", f'"{entry["lfs"]["oid"] if "lfs" in entry else entry["oid"]}"')
        self.send_header("X-Linked-Size", str(entry["size"]))
        self.send_header("X-Repo-Commit", commit)
        self.send_header("Content-Length", str(len(data) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        if self.command == "GET":
            self._send(data[start:], large="lfs" in entry)

    def _send(self, data: bytes, *, large: bool) -> None:
        cut = self.hub.cut_after if large else None
        self.wfile.write(data[:cut])
        if cut is not None:
            self.hub.cut_after = None
            self.close_connection = True

    def _json(self, value: Any) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _refuse(self, status: int, code: str, message: str) -> None:
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        self.send_header("X-Error-Message", message)
        self.send_header("Content-Length", "0")
        self.end_headers()


def _entry(repository: Repository, path: str, data: bytes) -> dict[str, Any]:
    shown = repository.announced.get(path, data)
    git = hashlib.sha1(b"blob %d\0" % len(shown) + shown).hexdigest()
    entry: dict[str, Any] = {"type": "file", "path": path, "size": len(shown), "oid": git}
    if path.endswith(".safetensors"):
        entry["lfs"] = {"oid": hashlib.sha256(shown).hexdigest(), "size": len(shown), "pointerSize": 130}
    return entry
