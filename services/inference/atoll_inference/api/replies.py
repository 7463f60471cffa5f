"""The two forms of a result: JSON, or a file."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the client asked for.

    Attributes:
        accept: the Accept header, in lower case.
        as_file: a job's result is kept as a file whatever it is.
    """

    accept: str
    as_file: bool = False

    def prefers(self, media_type: str) -> bool:
        """Whether the bytes themselves are wanted rather than JSON around them."""
        offered = [part.split(";")[0].strip() for part in self.accept.split(",")]
        return media_type in offered or f"{media_type.split('/', maxsplit=1)[0]}/*" in offered


@dataclass(frozen=True, slots=True)
class FileReply:
    """A result that is a file: in memory, or at a path inside the request's own folder.

    `facts` is what JSON would say beside it.
    """

    content: bytes | Path
    media_type: str
    name: str
    facts: dict[str, Any]

    def save(self, target: Path) -> None:
        """Move or write it to `target`, which appears only when complete.

        Raises:
            OSError: there is no room, or the folder cannot be written.
        """
        part = target.with_name(f".{target.name}.part")
        try:
            if isinstance(self.content, Path):
                shutil.move(self.content, part)
            else:
                part.write_bytes(self.content)
            part.replace(target)
        except OSError:
            part.unlink(missing_ok=True)
            raise


Reply = dict[str, Any] | FileReply
