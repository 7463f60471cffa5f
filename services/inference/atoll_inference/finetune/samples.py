"""Files of the data folder and where each comes from."""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from atoll_inference.finetune import FinetuneFailed
from atoll_inference.media.errors import MediaError

LABELS = ("real", "fake")
"""Names of the two folders and of the classes; the index of a name is its class."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One file that can be learnt from.

    Attributes:
        path: inside the data folder, with forward slashes, such as `real/anna/1.flac`.
        label: 0 real, 1 fake.
        source: the speaker, camera or generator it comes from. What the two classes have in
            common under one name is one source.
        bytes: size of the file.
        features: simple measures of it, for the baseline.
    """

    path: str
    label: int
    source: str
    bytes: int
    features: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that is left out, and why."""

    path: str
    reason: str


def list_files(data: Path) -> list[tuple[str, int]]:
    """Path inside `data` and size of every file under `real/` and `fake/`, in a fixed order.

    Hidden files and folders are left out.

    Raises:
        FinetuneFailed: a folder is absent, empty or unreadable.
    """
    found: list[tuple[str, int]] = []
    for label in LABELS:
        folder = data / label
        try:
            files = sorted(_files(folder))
        except OSError as error:
            raise FinetuneFailed(
                f"{folder} cannot be read ({error.strerror}). --data names a folder with the "
                "subfolders real/ and fake/."
            ) from error
        if not files:
            raise FinetuneFailed(f"{folder} has no files. Put examples of the class into it.")
        found += [(file.relative_to(data).as_posix(), file.stat().st_size) for file in files]
    return found


def examine(
    data: Path,
    files: Sequence[tuple[str, int]],
    features: Callable[[Path], tuple[float, ...]],
    say: Callable[[str], None],
) -> tuple[list[Sample], list[Skipped]]:
    """Open every file once: what can be learnt from, and what is left out with the reason.

    A file that is there twice is used once, as otherwise its copy might be judged after it was
    learnt from.

    Args:
        files: as of `list_files`.
        features: measures of a file; raises MediaError when it cannot be used.

    Raises:
        FinetuneFailed: a file is in both classes, or a class has too few sources.
    """
    samples: list[Sample] = []
    skipped: list[Skipped] = []
    seen: dict[str, Sample] = {}
    for count, (path, size) in enumerate(files, 1):
        label = LABELS.index(path.split("/", 1)[0])
        try:
            digest = _digest(data / path)
            twin = seen.get(digest)
            if twin is not None and twin.label != label:
                raise FinetuneFailed(
                    f"{path} and {twin.path} are the same file, in both classes. Delete one."
                )
            if twin is not None:
                skipped.append(Skipped(path, f"the same file as {twin.path}"))
                continue
            sample = Sample(path, label, source_of(path), size, features(data / path))
        except (MediaError, OSError) as error:
            skipped.append(Skipped(path, str(error)))
            continue
        seen[digest] = sample
        samples.append(sample)
        if count % 500 == 0:
            say(f"looked at {count} of {len(files)} files")
    _check(data, samples, skipped)
    return samples, skipped


def source_of(path: str) -> str:
    """The source of a file: its subfolder below the class, else its name up to the first _ or -.

    `real/anna/1.flac` and `real/anna_1.flac` are both of `anna`; a name without either mark is a
    source of its own.
    """
    parts = path.split("/")
    if len(parts) > 2:
        return parts[1]
    stem = Path(parts[-1]).stem
    return re.split(r"[_-]", stem, maxsplit=1)[0] or stem


def _files(folder: Path) -> Iterator[Path]:
    for entry in folder.iterdir():
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _files(entry)
        elif entry.is_file():
            yield entry


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check(data: Path, samples: Sequence[Sample], skipped: Sequence[Skipped]) -> None:
    for label, name in enumerate(LABELS):
        sources = {sample.source for sample in samples if sample.label == label}
        if not sources:
            first = next(s for s in skipped if s.path.startswith(f"{name}/"))
            raise FinetuneFailed(
                f"{data / name} has no file that can be used. The first, {first.path}: "
                f"{first.reason}"
            )
        if len(sources) < 2:
            raise FinetuneFailed(
                f"{data / name} has one source only ({sources.pop()}), and a fine-tune needs 2 or "
                "more a class, to judge what it has not learnt from. Give each speaker or origin "
                f"a subfolder of its own under {name}/."
            )
