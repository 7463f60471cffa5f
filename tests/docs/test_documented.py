"""What a user can set, call, run or pass is documented, and the reference tables are true."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md"]
TEXT = "\n".join(path.read_text() for path in DOCUMENTS)
SKIPPED = {"node_modules", "tests", ".venv", "dist", "__pycache__"}


def sources(*patterns: str) -> list[Path]:
    found = [path for pattern in patterns for path in ROOT.rglob(pattern)]
    return [path for path in found if not SKIPPED & set(path.relative_to(ROOT).parts)]


def options() -> list[str]:
    """Every long option that a script or a command of this repository takes."""
    found: set[str] = set()
    for path in sources("*.py"):
        found |= set(re.findall(r'add_argument\(\s*"(--[a-z][\w-]+)"', path.read_text()))
    for path in sources("*.sh"):
        found |= set(re.findall(r"^\s*(--[a-z][\w-]+)(?:=\*)?\)", path.read_text(), re.M))
    return sorted(found)


def commands() -> list[str]:
    """Every subcommand of the commands that the packages install."""
    found: set[str] = set()
    for path in sources("*.py"):
        found |= set(re.findall(r'add_parser\(\s*"([a-z][\w-]+)"', path.read_text()))
    return sorted(found)


@pytest.mark.parametrize("tool", ["reference.py", "openapi.py"])
def test_generated_references_are_up_to_date(tool: str) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / tool), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("option", options())
def test_every_option_is_documented(option: str) -> None:
    assert re.search(rf"{option}\b", TEXT), f"{option} is in no document"


@pytest.mark.parametrize("command", commands())
def test_every_command_is_documented(command: str) -> None:
    assert re.search(rf"\b(atoll-\w+|models|start\.sh) {command}\b", TEXT), command


def test_every_setting_is_in_the_example_environment() -> None:
    from atoll_chat.settings import Settings as ChatSettings
    from atoll_inference.settings import Settings as InferenceSettings

    example = (ROOT / ".env.example").read_text()
    named = set(re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", example, re.M))
    wanted = {n.upper() for s in (ChatSettings, InferenceSettings) for n in s.model_fields}
    assert wanted - named == set()
    documented = (ROOT / "docs" / "configuration.md").read_text()
    assert {name for name in named if f"`{name}`" not in documented} == set()


def test_both_readmes_link_to_files_that_exist() -> None:
    for document in [*DOCUMENTS, ROOT / "README.zh-CN.md"]:
        for target in re.findall(r"\]\(([^)#:\s]+)\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"
