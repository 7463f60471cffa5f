"""`atoll-inference`: serve, and look after the models folder."""

import argparse
import json
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

from atoll_inference.catalog.commands import ModelsCommands
from atoll_inference.catalog.slots import BadCatalog, Catalog, find_catalog, read_catalog
from atoll_inference.catalog.store import FetchFailed
from atoll_inference.commands import health
from atoll_inference.commands.arguments import add_run
from atoll_inference.engines.base import EngineError
from atoll_inference.engines.factory import SERVED
from atoll_inference.finetune import command as finetune
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
    alive = commands.add_parser("health", help="ask the service on this machine whether it is well")
    health.add_arguments(alive)
    alive.set_defaults(run=health.run)
    openapi = commands.add_parser("openapi", help="print the OpenAPI document")
    openapi.set_defaults(run=_openapi)
    run = commands.add_parser("run", help="do a task with files, without the service")
    add_run(run)
    run.set_defaults(run=_run)
    tune = commands.add_parser("finetune", help="train a deepfake detector on a folder of yours")
    finetune.add_arguments(tune)
    tune.set_defaults(run=finetune.run)
    models = commands.add_parser("models", help="look after the models folder (MODELS_DIR)")
    actions = models.add_subparsers(required=True, metavar="ACTION")
    ModelsCommands(_models, SERVED).add_to(actions)
    return parser


def _serve(_: argparse.Namespace) -> int:
    # Imported here so that the models commands start quickly.
    from atoll_inference.server import serve

    return serve(load(Settings))


def _run(options: argparse.Namespace) -> int:
    from atoll_inference.commands import run

    try:
        return run.run(options)
    except (run.CannotRun, EngineError) as error:
        print(error, file=sys.stderr)
        return 1


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


if __name__ == "__main__":
    raise SystemExit(main())
