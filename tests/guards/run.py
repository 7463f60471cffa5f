"""Takes each guard away and shows that its test notices.

`guards.toml` lists small patches: a text in a file, what it is replaced by, and the test that must
then fail. The patches are applied one by one to a copy of the repository; the tree itself is never
touched. A guard whose text is gone, or whose test fails without the patch or passes with it, is an
error: the list must be mended with the code.

    python tests/guards/run.py [--only WORD] [--jobs N]
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("kit", "services/chat-backend", "services/inference", "deployment/local")
COPIED = (
    "kit",
    "services/chat-backend",
    "services/inference",
    "deployment",
    "nginx",
    "tests",
    "training",
)
SINGLE = (
    "pyproject.toml",
    "services/gateway",
    "models/catalog.toml",
    "models/README.md",
    "models/starters",
)
IGNORED = shutil.ignore_patterns("__pycache__", "*.egg-info", ".*_cache", "node_modules", "dist")
FAILED_TESTS = 1  # pytest's exit status when tests ran and some failed


@dataclass(frozen=True)
class Guard:
    """One protection, how to take it away, and the test that notices."""

    name: str
    file: str
    find: str
    replace: str
    test: str


@dataclass(frozen=True)
class Verdict:
    """What happened with the guard taken away."""

    guard: Guard
    held: bool
    detail: str
    seconds: float


def copy_tree(target: Path) -> None:
    """A copy of what the tests of the services need."""
    for name in COPIED:
        shutil.copytree(ROOT / name, target / name, ignore=IGNORED, symlinks=True)
    for name in SINGLE:
        source, copy = ROOT / name, target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, copy, ignore=IGNORED)
        else:
            shutil.copy2(source, copy)


def pytest(tree: Path, test: str) -> subprocess.CompletedProcess[str]:
    """Run one test against the packages of `tree`."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(str(tree / package) for package in PACKAGES),
        "PYTHONDONTWRITEBYTECODE": "1",
        "ATOLL_TEST_MODELS_DIR": os.environ.get("ATOLL_TEST_MODELS_DIR", str(ROOT / "models")),
    }
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", test]
    return subprocess.run(
        command,
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def judge(guard: Guard) -> Verdict:
    """Take one guard away in a fresh copy and run its test."""
    started = time.monotonic()

    def verdict(held: bool, detail: str) -> Verdict:
        return Verdict(guard, held, detail, time.monotonic() - started)

    with tempfile.TemporaryDirectory(prefix="guard-") as folder:
        tree = Path(folder)
        copy_tree(tree)
        file = tree / guard.file
        text = file.read_text()
        if text.count(guard.find) != 1:
            return verdict(False, f"the text occurs {text.count(guard.find)} times, not once")
        whole = pytest(tree, guard.test)
        if whole.returncode != 0:
            return verdict(False, f"the test fails with the guard in place\n{whole.stdout[-1500:]}")
        file.write_text(text.replace(guard.find, guard.replace))
        broken = pytest(tree, guard.test)
        if broken.returncode != FAILED_TESTS:
            return verdict(False, f"the test passes without the guard\n{broken.stdout[-800:]}")
        return verdict(True, "")


def main() -> int:
    """Judge every guard and print the table; the exit status is the number of holes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="only guards whose name contains this word")
    parser.add_argument("--jobs", type=int, default=2, help="guards judged at the same time")
    options = parser.parse_args()
    listed = tomllib.loads((Path(__file__).parent / "guards.toml").read_text())["guard"]
    guards = [Guard(**entry) for entry in listed if options.only in entry["name"]]
    print(f"{len(guards)} guards, each taken away once", flush=True)
    with ThreadPoolExecutor(options.jobs) as pool:
        verdicts = []
        for verdict in pool.map(judge, guards):
            verdicts.append(verdict)
            mark = "noticed" if verdict.held else "MISSED "
            print(f"{mark}  {verdict.guard.name:<58} {verdict.seconds:5.1f} s", flush=True)
            if not verdict.held:
                print(f"         {verdict.detail}", flush=True)
    holes = sum(not verdict.held for verdict in verdicts)
    print(f"{len(verdicts) - holes} passed, {holes} failed")
    return min(holes, 100)


if __name__ == "__main__":
    sys.exit(main())
