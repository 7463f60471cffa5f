"""Every step of the guides that operators know has a state, and every named test exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "guide-coverage.md").read_text()
STATES = {
    "works",
    "works under another name",
    "waits for vision-language model",
    "waits for admin pages",
}
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in TEXT.splitlines()
    if line.startswith("| ") and not line.startswith("| step |")
]
TESTS = sorted(set(re.findall(r"`([\w./-]+\.py)::(\w+)`", TEXT)))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:60])
def test_a_step_has_a_state_and_its_proof(row: list[str]) -> None:
    step, state, proof = row
    assert step
    assert state in STATES
    if not state.startswith("waits"):
        assert "`" in proof


@pytest.mark.parametrize(("file", "name"), TESTS)
def test_a_named_test_exists(file: str, name: str) -> None:
    path = ROOT / file if "/" in file and (ROOT / file).exists() else ROOT / "tests/docker" / file
    assert f"def {name}(" in path.read_text()
