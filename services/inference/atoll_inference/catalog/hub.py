"""The model hub: what a repository holds at one commit, and its files, resumable.

Everything goes through huggingface_hub, so `HF_ENDPOINT`, `HF_TOKEN` and the proxy variables work
as its documentation says. Its own downloads start a file again from the first byte after a
process was killed, so files are read here with its `http_get`, which asks for the missing rest.
"""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from huggingface_hub import HfApi, constants, hf_hub_url
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.file_download import http_get
from huggingface_hub.utils import build_hf_headers, disable_progress_bars

from atoll_inference.catalog.lock import HashedFile, sha256_of
from atoll_inference.catalog.store import TELL_EVERY_S, FetchFailed, Say

_BLOB_READ = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of a repository.

    Attributes:
        sha256: of the content, for files that the hub keeps as large ones.
        blob: the git hash of the content, for the others.
    """

    name: str
    bytes: int
    sha256: str | None
    blob: str | None


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository at one commit. `licence` is what its card declares, or None."""

    id: str
    revision: str
    licence: str | None
    files: tuple[RemoteFile, ...]


class Hub:
    """Reads the model hub.

    Args:
        endpoint: its address; by default what HF_ENDPOINT says, else the public one.
    """

    def __init__(self, endpoint: str | None = None) -> None:
        self.endpoint = (endpoint or constants.ENDPOINT).rstrip("/")

    def repository(self, repo: str, revision: str) -> Repository:
        """What `repo` holds at a branch, tag or commit.

        Raises:
            FetchFailed: there is no such repository or revision, or the hub cannot be reached.
        """
        with self._requests(repo, revision):
            info = HfApi(endpoint=self.endpoint).model_info(
                repo, revision=revision, files_metadata=True
            )
        if info.sha is None:
            raise FetchFailed(f"{self.endpoint} does not say which commit {repo} is at.")
        licence = info.card_data.get("license") if info.card_data else None
        return Repository(
            id=repo,
            revision=info.sha,
            licence=licence if isinstance(licence, str) else None,
            files=tuple(
                RemoteFile(
                    name=file.rfilename,
                    bytes=file.size or 0,
                    sha256=file.lfs.sha256 if file.lfs else None,
                    blob=None if file.lfs else file.blob_id,
                )
                for file in info.siblings or ()
            ),
        )

    def fetch(self, repository: Repository, file: RemoteFile, folder: Path, say: Say) -> HashedFile:
        """Bring one file into `folder`, under its name, and check it against the hub's own hash.

        A file that is there and right is kept; a part of it is completed.

        Raises:
            FetchFailed: the hub cannot be reached, or what it sent is not what it promised.
        """
        target = folder / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.is_file():
            part = target.with_name(f".{target.name}.part")
            self._complete(repository, file, part, say)
            part.replace(target)
        try:
            return _checked(file, target)
        except FetchFailed:
            target.unlink()
            raise

    def _complete(self, repository: Repository, file: RemoteFile, part: Path, say: Say) -> None:
        url = hf_hub_url(
            repository.id, file.name, revision=repository.revision, endpoint=self.endpoint
        )
        if part.is_file() and part.stat().st_size > file.bytes:
            part.unlink()
        with part.open("ab") as output, self._requests(repository.id, repository.revision):
            have = part.stat().st_size
            told = f"{repository.id}: {file.name}"
            say(f"{told} ({file.bytes / 1e6:.1f} MB{', resumed' if have else ''})")
            http_get(
                url,
                _Counting(output, file.bytes, lambda line: say(f"  {line}")),
                resume_size=have,
                # Compressed on the way, a file could not be resumed by its number of bytes.
                headers={**build_hf_headers(), "Accept-Encoding": "identity"},
                expected_size=file.bytes,
            )

    @contextmanager
    def _requests(self, repo: str, revision: str) -> Iterator[None]:
        """Let huggingface_hub reach the hub, whatever the environment says, and name failures.

        The service and everything it loads run with HF_HUB_OFFLINE=1; a fetch is the one command
        that is meant to ask the hub.
        """
        was_offline, constants.HF_HUB_OFFLINE = constants.HF_HUB_OFFLINE, False
        disable_progress_bars()
        try:
            yield
        except GatedRepoError as error:
            raise FetchFailed(
                f"{repo} asks for its terms to be accepted. Accept them on {self.endpoint}/{repo}, "
                "then set HF_TOKEN and run this again."
            ) from error
        except RepositoryNotFoundError as error:
            raise FetchFailed(
                f"{self.endpoint} has no repository {repo}, or it is private and HF_TOKEN is not "
                "set."
            ) from error
        except RevisionNotFoundError as error:
            raise FetchFailed(f"{repo} has no revision {revision}.") from error
        except HfHubHTTPError as error:
            raise FetchFailed(f"{self.endpoint} answered: {error}") from error
        except OSError as error:
            if error.errno is not None:  # of the disk, not of the network
                raise
            raise FetchFailed(f"{repo}: {error} Run this again to go on.") from error
        except Exception as error:
            if not _is_network(error):
                raise
            raise FetchFailed(
                f"{self.endpoint} cannot be reached ({error}). Check the network, HF_ENDPOINT and "
                "the proxy settings, then run this again; what has come is kept."
            ) from error
        finally:
            constants.HF_HUB_OFFLINE = was_offline


def _is_network(error: Exception) -> bool:
    """Whether the HTTP library of huggingface_hub raised it while talking to the hub."""
    return any(base.__name__ == "TransportError" for base in type(error).__mro__)


class _Counting:
    """The file being written, telling how far it is."""

    def __init__(self, file: IO[bytes], total: int, say: Say) -> None:
        self._file = file
        self._total = total
        self._say = say
        self._told = time.monotonic()

    def write(self, data: bytes) -> int:
        written = self._file.write(data)
        if time.monotonic() - self._told >= TELL_EVERY_S:
            self._told = time.monotonic()
            self._say(f"{self._file.tell() / 1e6:.0f} of {self._total / 1e6:.0f} MB")
        return written

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, position: int) -> int:
        return self._file.seek(position)

    def truncate(self) -> int:
        return self._file.truncate()


def _checked(file: RemoteFile, path: Path) -> HashedFile:
    found = sha256_of(path)
    right = (
        found == file.sha256
        if file.sha256 is not None
        else file.blob is None or _git_blob(path) == file.blob
    )
    if not right or path.stat().st_size != file.bytes:
        raise FetchFailed(
            f"{file.name} did not come as the hub promised it (sha256 {found}). It was deleted; "
            "run this again."
        )
    return HashedFile(name=file.name, bytes=file.bytes, sha256=found)


def _git_blob(path: Path) -> str:
    """The name that git gives to a file's content."""
    digest = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(_BLOB_READ):
            digest.update(chunk)
    return digest.hexdigest()
