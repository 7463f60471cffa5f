"""A model hub on loopback that serves folders, as huggingface_hub 2.4 speaks to the real one.

Repositories at branches and commits, small files from the hub itself, large ones by a redirect to
a store that takes ranges, and the ways in which a transfer goes wrong. By hand:
`python fake_hub.py FOLDER`, where FOLDER holds `owner/name/` folders; it prints its address.
"""

import hashlib
import json
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

LARGE = frozenset({".bin", ".ckpt", ".gguf", ".h5", ".msgpack", ".onnx", ".pt", ".safetensors"})
"""Kinds of files that are kept as large ones, by their sha256."""


@dataclass(frozen=True)
class Blob:
    path: Path
    size: int
    sha256: str
    git: str

    @property
    def is_large(self) -> bool:
        return self.path.suffix in LARGE


@dataclass
class Repo:
    """One repository. `commits` maps a commit to its files by name, in the order of publication."""

    licence: str | None
    gated: bool
    commits: dict[str, dict[str, Blob]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)


class FakeHub:
    """A hub with nothing on it until something is published.

    Attributes:
        requests: method and path of everything that was asked, in order.
        ranges: the Range header of every transfer of a large file, or None.
        cut: end the next transfers of large files after so many bytes; one is taken for each.
        spoil: change a byte of every file of this name.
    """

    def __init__(self) -> None:
        self.repos: dict[str, Repo] = {}
        self.requests: list[str] = []
        self.ranges: list[str | None] = []
        self.cut: list[int] = []
        self.spoil: str | None = None
        handler = type("Handler", (_Handler,), {"hub": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "FakeHub":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def publish(
        self,
        repo: str,
        folder: Path,
        *,
        licence: str | None = "apache-2.0",
        branch: str = "main",
        gated: bool = False,
    ) -> str:
        """Make a commit of the folder as it is now; returns its name."""
        files = {
            path.relative_to(folder).as_posix(): _blob(path)
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        listing = "".join(f"{name} {blob.git}\n" for name, blob in files.items())
        commit = hashlib.sha1(f"{repo}\n{listing}".encode()).hexdigest()
        entry = self.repos.setdefault(repo, Repo(licence, gated))
        entry.commits[commit] = files
        entry.branches[branch] = commit
        return commit


def _blob(path: Path) -> Blob:
    size = path.stat().st_size
    sha256 = hashlib.sha256()
    git = hashlib.sha1(f"blob {size}\0".encode())
    with path.open("rb") as file:
        while chunk := file.read(1 << 22):
            sha256.update(chunk)
            git.update(chunk)
    return Blob(path, size, sha256.hexdigest(), git.hexdigest())


class _Handler(BaseHTTPRequestHandler):
    hub: FakeHub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.requests.append(f"{self.command} {path}")
        parts = path.strip("/").split("/")
        if parts[:2] == ["api", "models"] and len(parts) >= 4:
            self._api("/".join(parts[2:4]), parts[4:])
        elif parts[0] == "large" and len(parts) == 5:
            self._large("/".join(parts[1:3]), parts[3], parts[4])
        elif len(parts) >= 5 and parts[2] == "resolve":
            self._resolve("/".join(parts[:2]), parts[3], "/".join(parts[4:]))
        else:
            self._refuse(404, "EntryNotFound")

    def _find(self, name: str, revision: str) -> tuple[Repo, str] | None:
        repo = self.hub.repos.get(name)
        if repo is None:
            self._refuse(401, "RepoNotFound")
            return None
        commit = repo.branches.get(revision, revision)
        if commit not in repo.commits:
            self._refuse(404, "RevisionNotFound")
            return None
        return repo, commit

    def _api(self, name: str, rest: list[str]) -> None:
        revision = rest[1] if rest[:1] in (["revision"], ["tree"]) else "main"
        found = self._find(name, revision)
        if found is None:
            return
        repo, commit = found
        files = repo.commits[commit]
        if rest[:1] == ["tree"]:
            self._json([_tree_entry(file, blob) for file, blob in files.items()])
            return
        self._json(
            {
                "id": name,
                "sha": commit,
                "private": False,
                "gated": "manual" if repo.gated else False,
                "cardData": {"license": repo.licence} if repo.licence else {},
                "siblings": [_sibling(file, blob) for file, blob in files.items()],
            }
        )

    def _resolve(self, name: str, revision: str, file: str) -> None:
        found = self._find(name, revision)
        if found is None:
            return
        repo, commit = found
        if repo.gated:
            self._refuse(403, "GatedRepo")
            return
        blob = repo.commits[commit].get(file)
        if blob is None:
            self._refuse(404, "EntryNotFound")
            return
        headers = {"X-Repo-Commit": commit, "ETag": f'"{blob.git}"'}
        if blob.is_large:
            headers |= {
                "X-Linked-Etag": f'"{blob.sha256}"',
                "X-Linked-Size": str(blob.size),
                "Location": f"/large/{name}/{commit}/{blob.sha256}",
            }
            self._send(302, b"", headers)
            return
        data = blob.path.read_bytes()
        if self.hub.spoil == file:
            data = b"#" + data[1:]
        self._send(200, data, headers)

    def _large(self, name: str, commit: str, sha256: str) -> None:
        files = self.hub.repos[name].commits[commit]
        file, blob = next((f, b) for f, b in files.items() if b.sha256 == sha256)
        span = self.headers.get("Range")
        start = int(span.removeprefix("bytes=").split("-")[0]) if span else 0
        if self.command == "GET":
            self.hub.ranges.append(span)
        self.send_response(206 if span else 200)
        self.send_header("Content-Length", str(blob.size - start))
        self.send_header("ETag", f'"{sha256}"')
        if span:
            self.send_header("Content-Range", f"bytes {start}-{blob.size - 1}/{blob.size}")
        self.end_headers()
        if self.command == "HEAD":
            return
        left = self.hub.cut.pop(0) if self.hub.cut else blob.size
        with blob.path.open("rb") as source:
            source.seek(start)
            while left > 0 and (chunk := source.read(min(left, 1 << 18))):
                if self.hub.spoil == file:
                    chunk = bytes([chunk[0] ^ 1]) + chunk[1:]
                try:
                    self.wfile.write(chunk)
                except ConnectionError:  # the client was killed
                    break
                left -= len(chunk)
        if left <= 0:
            self.close_connection = True

    def _json(self, content: Any) -> None:
        self._send(200, json.dumps(content).encode(), {"Content-Type": "application/json"})

    def _refuse(self, status: int, code: str) -> None:
        self._send(status, b"", {"X-Error-Code": code, "X-Error-Message": code})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)


def _sibling(name: str, blob: Blob) -> dict[str, Any]:
    entry: dict[str, Any] = {"rfilename": name, "size": blob.size, "blobId": blob.git}
    if blob.is_large:
        entry["lfs"] = {"sha256": blob.sha256, "size": blob.size, "pointerSize": 134}
    return entry


def _tree_entry(name: str, blob: Blob) -> dict[str, Any]:
    entry: dict[str, Any] = {"type": "file", "path": name, "size": blob.size, "oid": blob.git}
    if blob.is_large:
        entry["lfs"] = {"oid": blob.sha256, "size": blob.size, "pointerSize": 134}
    return entry


def main() -> None:
    hub = FakeHub()
    for folder in sorted(Path(sys.argv[1]).glob("*/*")):
        print(hub.publish(f"{folder.parent.name}/{folder.name}", folder), folder, flush=True)
    with hub:
        print(hub.url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
