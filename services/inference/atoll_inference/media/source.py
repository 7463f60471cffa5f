"""Where a media input of a JSON request comes from, and its bytes when it is here already.

An input is a string (a data URI or base64) or an object with exactly one of `data`, `url`, `path`
and `file_id`. Bytes in the request and files under MEDIA_ROOTS are opened here; what has to be
fetched is left to whoever speaks HTTP.
"""

import binascii
import errno
import os
import re
import stat
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Literal, cast

from atoll_inference.media.errors import MediaError, MediaTooLarge, NotAllowed, Undecodable

Kind = Literal["data", "url", "path", "file_id"]
KINDS: tuple[Kind, ...] = ("data", "url", "path", "file_id")

MEMORY = 1024 * 1024
_GROUP = 4 * 65536  # base64 characters decoded at once: whole groups of four
# What a link on the way gives, and what is as good as no file.
_LINK = (errno.ELOOP, errno.ENOTDIR)
_ABSENT = (errno.ENOENT, errno.ENXIO, errno.EACCES, errno.EPERM, errno.ENAMETOOLONG)
_DATA_URI = re.compile(r"data:[^,]{0,512},", re.IGNORECASE)


class InvalidSource(MediaError):
    """The input names no source, or more than one."""

    code = "invalid_source"


class NoSuchFile(MediaError):
    """There is no such file, or it is not this caller's."""

    code = "file_not_found"


@dataclass(frozen=True, slots=True)
class Source:
    """One input: what kind it is, and the text that was given for it."""

    kind: Kind
    value: str


def source_of(value: object) -> Source:
    """The source that `value`, parsed JSON, names.

    Raises:
        InvalidSource: another type, an unknown or empty field, or not exactly one field.
    """
    if isinstance(value, str):
        if re.match(r"(?i)https?://", value):
            raise InvalidSource(
                'A URL is sent as {"url": "https://…"}; a string is a data URI or base64.'
            )
        return Source("data", value)
    if not isinstance(value, dict):
        raise InvalidSource(
            f"Send a data URI or base64 as a string, or an object with {_one_of()}."
        )
    unknown = [str(name) for name in value if name not in KINDS]
    given = [kind for kind in KINDS if value.get(kind) is not None]
    if unknown or len(given) != 1:
        found = ", ".join(unknown or given) or "nothing"
        raise InvalidSource(f"Send an object with {_one_of()}; it has {found[:200]}.")
    text = value[given[0]]
    if not isinstance(text, str) or not text:
        raise InvalidSource(f"`{given[0]}` must be a string that is not empty.")
    return Source(given[0], text)


def decode_data(text: str, *, max_bytes: int, spool_dir: Path | None = None) -> BinaryIO:
    """The bytes of a data URI or of base64, in memory up to 1 MiB and on the disk beyond.

    The alphabet is that of RFC 4648, section 4, with its padding and without line breaks.

    Raises:
        Undecodable: `invalid_base64`, or nothing in it.
        MediaTooLarge: more than `max_bytes`; known before anything is decoded.
        OSError: the disk is full.
    """
    begin = _begin_of_payload(text)
    if len(text) == begin:
        raise Undecodable("The data is empty. Send the bytes of a file as base64.")
    padding = 2 if text.endswith("==") else int(text.endswith("="))
    if (len(text) - begin) // 4 * 3 - padding > max_bytes:
        raise MediaTooLarge(f"The data has more than the {max_bytes} bytes allowed here.")
    file = spool(spool_dir)
    try:
        for start in range(begin, len(text), _GROUP):
            piece = text[start : start + _GROUP]
            if start + _GROUP < len(text) and piece.endswith("="):
                raise _no_base64()  # padding in the middle
            file.write(binascii.a2b_base64(piece.encode("ascii"), strict_mode=True))
        file.seek(0)
    except (binascii.Error, UnicodeEncodeError):
        file.close()
        raise _no_base64() from None
    except BaseException:
        file.close()
        raise
    return file


def spool(folder: Path | None) -> BinaryIO:
    """An empty file without a name, in memory up to 1 MiB and in `folder` beyond."""
    return cast(
        BinaryIO, tempfile.SpooledTemporaryFile(MEMORY, dir=str(folder) if folder else None)
    )


class MediaRoots:
    """The folders of this machine whose files a request may name by path.

    Symbolic links below a root are not followed, whoever made them: a link could lead out of it.
    """

    def __init__(self, roots: Iterable[Path]) -> None:
        self._roots = tuple(PurePosixPath(root) for root in roots)

    def open(self, path: str, *, max_bytes: int) -> BinaryIO:
        """The regular file at `path`, opened for reading.

        Raises:
            NotAllowed: `path_not_allowed`: under no root, not absolute, or through a link.
            NoSuchFile: there is no regular file.
            MediaTooLarge: more than `max_bytes`.
        """
        wanted = PurePosixPath(path)
        if not wanted.is_absolute() or ".." in wanted.parts or "\0" in path:
            raise _path_not_allowed()
        inside = [root for root in self._roots if wanted.is_relative_to(root) and wanted != root]
        if not inside:
            raise _path_not_allowed()
        root = max(inside, key=lambda root: len(root.parts))
        try:
            descriptor = _descend(root, wanted.relative_to(root).parts)
        except OSError as error:
            if error.errno in _LINK:
                raise _path_not_allowed() from None
            if error.errno in _ABSENT:
                raise _no_such_file() from None
            raise
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise _no_such_file()
            if found.st_size > max_bytes:
                raise MediaTooLarge(f"The file has more than the {max_bytes} bytes allowed here.")
            return os.fdopen(descriptor, "rb")
        except BaseException:
            os.close(descriptor)
            raise


def _descend(root: PurePosixPath, parts: tuple[str, ...]) -> int:
    """Open the file `parts` below `root`, step by step, following no link.

    Each step is taken from the folder that the last one opened, so that nothing which is renamed
    or replaced meanwhile can lead elsewhere.
    """
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts[:-1]:
            step = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
            below = os.open(part, step, dir_fd=folder)
            os.close(folder)
            folder = below
        # Opening a pipe would wait for its other end, and a device may do anything: look first.
        mode = os.stat(parts[-1], dir_fd=folder, follow_symlinks=False).st_mode
        if stat.S_ISLNK(mode):
            raise OSError(errno.ELOOP, "a symbolic link")
        if not stat.S_ISREG(mode):
            raise FileNotFoundError(errno.ENOENT, "not a regular file")
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        return os.open(parts[-1], flags, dir_fd=folder)
    finally:
        os.close(folder)


def _begin_of_payload(text: str) -> int:
    """Where the base64 begins: after the head of a data URI, if there is one.

    Raises:
        Undecodable: a data URI that is not base64.
    """
    if text[:5].lower() != "data:":
        return 0
    head = _DATA_URI.match(text)
    if head is None or not head[0].lower().endswith(";base64,"):
        raise Undecodable(
            "The data URI must have the form data:TYPE;base64,DATA.", code="invalid_base64"
        )
    return head.end()


def _one_of() -> str:
    return "exactly one of `data`, `url`, `path` and `file_id`"


def _no_base64() -> MediaError:
    return Undecodable(
        "The data is not base64. Use the alphabet with + and /, padding with =, and no line breaks "
        "or spaces.",
        code="invalid_base64",
    )


def _path_not_allowed() -> MediaError:
    return NotAllowed(
        "This path may not be read. Paths are absolute, below a folder that the operator lists in "
        "MEDIA_ROOTS, and lead through no symbolic link. Or send the bytes.",
        code="path_not_allowed",
    )


def _no_such_file() -> MediaError:
    return NoSuchFile("There is no readable file at this path.")
