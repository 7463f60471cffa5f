"""Writes the one OpenAPI document of the stack, merged from its services.

    python tools/openapi.py [--check]

The result is `services/frontend/openapi/openapi.json`: the front end's client is generated from
it and the gateway serves it. `--check` writes nothing and fails when the file is out of date.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "services" / "frontend" / "openapi" / "openapi.json"
# The first service that has a route wins: the chat backend answers chat for accounts.
SERVICES = ("atoll-chat", "atoll-inference")
# Routes that the gateway does not let in.
HIDDEN = ("/internal/", "/metrics")


def document(program: str) -> dict[str, Any]:
    """The OpenAPI document of one service, as its command prints it."""
    command = [str(Path(sys.executable).parent / program), "openapi"]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    loaded: dict[str, Any] = json.loads(out)
    return loaded


def rename(node: Any, names: dict[str, str]) -> Any:
    """`node` with its references to schemas renamed."""
    if isinstance(node, dict):
        return {
            key: names.get(value, value) if key == "$ref" else rename(value, names)
            for key, value in node.items()
        }
    if isinstance(node, list):
        return [rename(item, names) for item in node]
    return node


def merge(documents: list[dict[str, Any]]) -> dict[str, Any]:
    """One document. Schemas of the same name and different content get a number."""
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    for number, part in enumerate(documents, 1):
        own = part.get("components", {}).get("schemas", {})
        clashes = [name for name, schema in own.items() if schemas.get(name, schema) != schema]
        prefix = "#/components/schemas/"
        names = {prefix + name: f"{prefix}{name}{number}" for name in clashes}
        for name, schema in own.items():
            kept = f"{name}{number}" if name in clashes else name
            schemas[kept] = rename(schema, names)
        for path, operations in part["paths"].items():
            if path.startswith(HIDDEN) or path in paths:
                continue
            paths[path] = rename(operations, names)
    return {
        "openapi": documents[0]["openapi"],
        "info": {
            "title": "Atoll",
            "version": documents[0]["info"]["version"],
            "description": "Every route of the stack, through its gateway.",
        },
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {"apiKey": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"apiKey": []}],
    }


def main() -> int:
    """Write or check the document."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="fail when the file is out of date")
    options = parser.parse_args()
    merged = merge([document(program) for program in SERVICES])
    text = json.dumps(merged, indent=1, ensure_ascii=False) + "\n"
    if options.check:
        if TARGET.read_text() != text:
            print(f"{TARGET.relative_to(ROOT)} is out of date: run make openapi", file=sys.stderr)
            return 1
        return 0
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(text)
    print(f"{TARGET.relative_to(ROOT)}: {len(merged['paths'])} paths")
    return 0


if __name__ == "__main__":
    sys.exit(main())
