"""Keeps the reference tables of the documentation equal to the code.

    python tools/reference.py [--check]

A table stands between `<!-- table: NAME -->` and `<!-- end -->` in a file of `docs/`; everything
else in those files is written by hand. `--check` writes nothing and fails on a difference.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from prometheus_client import REGISTRY
from pydantic_core import PydanticUndefined

from atoll_kit.settings import ServiceSettings

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"(<!-- table: ([\w-]+) -->\n).*?(<!-- end -->)", re.S)


def _default(value: Any) -> str:
    if value is PydanticUndefined:
        return "required"
    if value is None or value == "":
        return "–"
    return f"`{value}`"


def settings_table(settings: type[ServiceSettings]) -> str:
    """Variable, default and meaning of every setting of a service."""
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in sorted(settings.model_fields.items()):
        assert field.description, f"{settings.__module__}.{name} has no description"
        rows.append(f"| `{name.upper()}` | {_default(field.default)} | {field.description} |")
    return "\n".join(rows) + "\n"


def routes_table() -> str:
    """Method, path and summary of every route in the merged document."""
    document = json.loads((ROOT / "services" / "frontend" / "openapi" / "openapi.json").read_text())
    rows = ["| method | path | what it does |", "|---|---|---|"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            text = operation.get("description") or operation["summary"]
            first = text.strip().split("\n\n")[0].replace("\n", " ")
            rows.append(f"| {method.upper()} | `{path}` | {first} |")
    return "\n".join(rows) + "\n"


def metrics_table() -> str:
    """Name, type and meaning of every metric that the services register."""
    import atoll_chat.app
    import atoll_inference.app
    import atoll_kit.metrics

    assert atoll_chat.app and atoll_inference.app and atoll_kit.metrics
    rows = ["| metric | type | meaning |", "|---|---|---|"]
    for metric in sorted(REGISTRY.collect(), key=lambda metric: metric.name):
        if not metric.name.startswith(("python_", "process_")):
            name = metric.name + ("_total" if metric.type == "counter" else "")
            rows.append(f"| `{name}` | {metric.type} | {metric.documentation} |")
    return "\n".join(rows) + "\n"


def targets_table() -> str:
    """Every target of the Makefile, with its comment."""
    rows = ["| target | what it does |", "|---|---|"]
    for line in (ROOT / "Makefile").read_text().splitlines():
        if found := re.match(r"([a-z][\w-]*):.*?## (.+)", line):
            rows.append(f"| `make {found[1]}` | {found[2]} |")
    return "\n".join(rows) + "\n"


def table(name: str) -> str:
    """The table of that name."""
    from atoll_chat.settings import Settings as ChatSettings
    from atoll_inference.settings import Settings as InferenceSettings

    if name == "chat-backend-settings":
        return settings_table(ChatSettings)
    if name == "inference-settings":
        return settings_table(InferenceSettings)
    return {"routes": routes_table, "metrics": metrics_table, "targets": targets_table}[name]()


def rewritten() -> Iterator[tuple[Path, str, str]]:
    """Each document with tables: its path, its text now, and its text as it should be."""
    for path in sorted((ROOT / "docs").glob("*.md")):
        text = path.read_text()
        if BLOCK.search(text):
            yield path, text, BLOCK.sub(lambda found: found[1] + table(found[2]) + found[3], text)


def main() -> int:
    """Rewrite or check the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="fail when a table is out of date")
    options = parser.parse_args()
    stale = 0
    for path, text, wanted in rewritten():
        if text == wanted:
            continue
        stale += 1
        if options.check:
            print(f"{path.relative_to(ROOT)} is out of date: run make docs", file=sys.stderr)
        else:
            path.write_text(wanted)
            print(f"{path.relative_to(ROOT)}: tables written")
    return 1 if options.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
