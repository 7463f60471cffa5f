"""The table of guards keeps up with the code; `make test-guards` shows that it is right."""

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUARDS = tomllib.loads((ROOT / "tests" / "guards" / "guards.toml").read_text("utf-8"))["guard"]


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard["name"])
def test_a_guard_stands_where_the_table_says(guard: dict[str, str]) -> None:
    assert (ROOT / guard["file"]).read_text("utf-8").count(guard["find"]) == 1
    path, _, name = guard["test"].partition("::")
    assert name.partition("[")[0] in (ROOT / path).read_text("utf-8")
