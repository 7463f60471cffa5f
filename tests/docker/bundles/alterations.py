"""Ways in which a bundle can arrive changed, each done in place and undone."""

import os
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

Undo = Callable[[], None]
Alteration = Callable[[Path, random.Random], tuple[str, Undo]]


def _files(bundle: Path) -> list[Path]:
    return sorted(path for path in bundle.rglob("*") if path.is_file())


def _restore(path: Path, kept: bytes) -> Undo:
    def undo() -> None:
        path.write_bytes(kept)

    return undo


def _overwrite(path: Path, offset: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def bit_flip(bundle: Path, chance: random.Random) -> tuple[str, Undo]:
    """One bit of any file; large files are as likely as small ones."""
    path = chance.choice([file for file in _files(bundle) if file.stat().st_size])
    offset = chance.randrange(path.stat().st_size)
    with path.open("rb") as file:
        file.seek(offset)
        before = file.read(1)
    _overwrite(path, offset, bytes([before[0] ^ (1 << chance.randrange(8))]))
    return f"bit at {offset} of {path.name}", lambda: _overwrite(path, offset, before)


def truncation(bundle: Path, chance: random.Random) -> tuple[str, Undo]:
    path = chance.choice([file for file in _files(bundle) if file.stat().st_size])
    length = chance.randrange(path.stat().st_size)
    with path.open("rb") as file:
        file.seek(length)
        tail = file.read()
    os.truncate(path, length)
    return f"{path.name} cut to {length}", lambda: _overwrite(path, length, tail)


def appendix(bundle: Path, chance: random.Random) -> tuple[str, Undo]:
    path = chance.choice(_files(bundle))
    length = path.stat().st_size
    with path.open("ab") as file:
        file.write(chance.randbytes(chance.randrange(1, 600)))

    def undo() -> None:
        with path.open("r+b") as file:
            file.truncate(length)

    return f"{path.name} grown", undo


def missing(bundle: Path, chance: random.Random) -> tuple[str, Undo]:
    path = chance.choice(_files(bundle))
    aside = bundle.parent / "aside"
    path.rename(aside)

    def undo() -> None:
        aside.rename(path)

    return f"{path.name} away", undo


def extra(bundle: Path, chance: random.Random) -> tuple[str, Undo]:
    folder = chance.choice([bundle, *(path for path in bundle.rglob("*") if path.is_dir())])
    path = (
        folder / f"extra-{chance.randrange(10**6)}{chance.choice(['.tar', '.sh', '', '.part00'])}"
    )
    path.write_bytes(chance.randbytes(100))
    return f"{path.name} added", path.unlink


def link(bundle: Path, chance: random.Random) -> tuple[str, Undo]:
    """A file replaced by a link to the same content."""
    path = chance.choice([file for file in _files(bundle) if "checksums" not in file.name])
    aside = bundle.parent / "aside"
    path.rename(aside)
    path.symlink_to(aside)

    def undo() -> None:
        path.unlink()
        aside.rename(path)

    return f"{path.name} is a link", undo


def swap(bundle: Path, chance: random.Random) -> tuple[str, Undo]:
    """Two files of one kind change places: images, parts, lists, anything."""
    files = _files(bundle)
    while True:
        one, other = chance.sample(files, 2)
        if one.read_bytes() != other.read_bytes():
            break
    aside = bundle.parent / "aside"

    def exchange() -> None:
        one.rename(aside)
        other.rename(one)
        aside.rename(other)

    exchange()
    return f"{one.name} and {other.name} swapped", exchange


def reordered_parts(bundle: Path, chance: random.Random) -> tuple[str, Undo]:
    """Two volumes of one tar change places."""
    parts = sorted(bundle.glob("*.part[0-9][0-9]"))
    name = chance.choice(sorted({part.name[:-2] for part in parts}))
    one, other = chance.sample([part for part in parts if part.name.startswith(name)], 2)
    aside = bundle.parent / "aside"

    def exchange() -> None:
        one.rename(aside)
        other.rename(one)
        aside.rename(other)

    exchange()
    return f"{one.name} and {other.name} reordered", exchange


def list_line(bundle: Path, chance: random.Random) -> tuple[str, Undo]:
    """A line of a list goes, comes twice, or moves its hash to another name."""
    path = bundle / chance.choice(["checksums.sha256", "sizes.tsv", "images-info.txt"])
    kept = path.read_bytes()
    lines = kept.splitlines(keepends=True)
    index = chance.randrange(len(lines) - 1)
    what = chance.choice(["goes", "twice", "exchanged"])
    if what == "goes":
        del lines[index]
    elif what == "twice":
        lines.insert(index, lines[index])
    else:
        lines[index], lines[index + 1] = lines[index][:64] + lines[index + 1][64:], lines[index]
    path.write_bytes(b"".join(lines))
    return f"line {index} of {path.name} {what}", _restore(path, kept)


def own_script(bundle: Path, chance: random.Random) -> tuple[str, Undo]:
    """A script of the bundle made harmless to an attacker: its checks answer yes."""
    path = chance.choice([*bundle.glob("*.sh"), *bundle.glob("lib/*.sh")])
    kept = path.read_bytes()
    lines = kept.splitlines(keepends=True)
    lines.insert(1, chance.choice([b"true\n", b"exit 0\n", b"# changed\n", b"set +e\n"]))
    path.write_bytes(b"".join(lines))
    return f"{path.name} edited", _restore(path, kept)


def old_list(bundle: Path, chance: random.Random) -> tuple[str, Undo]:
    """A file and its hash are changed together, as one does who has no key."""
    import hashlib

    path = chance.choice(list(bundle.glob("*.txt")))
    listed = bundle / "checksums.sha256"
    kept, kept_list = path.read_bytes(), listed.read_bytes()
    before = hashlib.sha256(kept).hexdigest()
    changed = bytearray(kept)
    changed[chance.randrange(len(changed))] ^= 1
    path.write_bytes(changed)
    after = hashlib.sha256(changed).hexdigest()
    listed.write_bytes(kept_list.replace(before.encode(), after.encode()))

    def undo() -> None:
        path.write_bytes(kept)
        listed.write_bytes(kept_list)

    return f"{path.name} forged with its hash", undo


KINDS: tuple[Alteration, ...] = (
    bit_flip,
    truncation,
    appendix,
    missing,
    extra,
    link,
    swap,
    reordered_parts,
    list_line,
    own_script,
    old_list,
)


@contextmanager
def altered(bundle: Path, kind: Alteration, chance: random.Random) -> Iterator[str]:
    """The bundle with one alteration; undone at the end."""
    what, undo = kind(bundle, chance)
    try:
        yield what
    finally:
        undo()
        shutil.rmtree(bundle.parent / "aside", ignore_errors=True)
