"""`atoll-inference run TASK FILE…`: a task from a shell, without the service.

Its arguments are in `arguments`, which imports nothing heavy.
"""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError
from tqdm import tqdm

from atoll_inference.api.replies import FileReply, Wanted
from atoll_inference.api.tasks import TASKS, Conditions, Given, Task
from atoll_inference.catalog.checkpoint import Checkpoint
from atoll_inference.catalog.discovery import Discovery
from atoll_inference.catalog.slots import find_catalog, read_catalog
from atoll_inference.engines.base import BatchEngine, Dtype, EngineError
from atoll_inference.engines.cpus import usable_cpus
from atoll_inference.engines.factory import SERVED, Wishes, build_engine, find_detector
from atoll_inference.engines.runtime import Runtime
from atoll_inference.media.errors import MediaError
from atoll_inference.media.limits import MediaLimits
from atoll_inference.offline import go_offline
from atoll_inference.settings import ModelsSettings
from atoll_kit.settings import load


class CannotRun(Exception):
    """Nothing was done; the message says why and what to do."""


def run(options: argparse.Namespace) -> int:
    """Print one line of JSON for each file; returns 1 when a file failed."""
    go_offline()
    task = TASKS[options.task]
    wish = _wish(task, options.parameter)
    settings = load(ModelsSettings)
    discovery = Discovery(settings.models_dir, SERVED)
    checkpoint = _checkpoint(task, options.model, discovery, settings)
    failed = 0
    with tempfile.TemporaryDirectory(prefix="atoll-") as scratch:
        runtime = Runtime(
            device=options.device,
            dtype=cast(Dtype, options.dtype),
            threads=usable_cpus(),
            cache_dir=Path(scratch) / "cache",
        )
        engine = build_engine(
            checkpoint, runtime, Wishes(detector=partial(find_detector, discovery))
        )
        assert isinstance(engine, BatchEngine)
        with tqdm(total=1.0, desc=f"loading {checkpoint.id}", **_BAR) as bar:
            engine.load(_moves(bar))
        shell = _Shell(task, engine, wish, checkpoint.id, options.output)
        try:
            for number, name in enumerate(options.files):
                folder = Path(scratch) / str(number)
                folder.mkdir()
                failed += not shell.do(name, folder)
        finally:
            engine.unload()
    return 1 if failed else 0


_BAR: dict[str, Any] = {
    "bar_format": "{desc}: {percentage:3.0f}%|{bar}| {elapsed}",
    "file": sys.stderr,
    "leave": False,
    "disable": None,  # silent when standard error is no terminal
}


@dataclass(frozen=True, slots=True)
class _Shell:
    """A loaded model and what is the same for every file."""

    task: Task
    engine: BatchEngine
    wish: Any
    model: str
    output: Path

    def do(self, name: str, folder: Path) -> bool:
        """Do one file in `folder` and print its line; whether it went well."""
        line: dict[str, Any] = {"file": name, "task": self.task.name, "model": self.model}
        try:
            line["result"] = self._result(name, folder)
        except (EngineError, MediaError, OSError) as error:
            line["error"] = str(error)
        print(json.dumps(line, ensure_ascii=False), flush=True)
        return "error" not in line

    def _result(self, name: str, folder: Path) -> dict[str, Any]:
        with ExitStack() as stack:
            given = _given(self.task, name, stack)
            item = self.task.item(
                given, self.wish, Conditions(MediaLimits(), folder, sync_max_pixels=None)
            )
            bar = stack.enter_context(tqdm(total=1.0, desc=name, **_BAR))
            result = self.engine.run(item, _moves(bar))
        reply = self.task.tell(result, Wanted("", as_file=bool(self.task.binary)))
        if isinstance(reply, FileReply):
            self.output.mkdir(parents=True, exist_ok=True)
            stem = "stdin" if name == "-" else Path(name).stem
            target = self.output / f"{stem}.{reply.name}"
            reply.save(target)
            return {"file": str(target), **reply.facts}
        return reply


def _given(task: Task, name: str, stack: ExitStack) -> Given:
    """The text or the open file of an input; files are closed with `stack`."""
    if task.takes_text:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise MediaError(f"{name} is no UTF-8 text") from error
    if name != "-":
        return stack.enter_context(Path(name).open("rb"))
    spool = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - the stack closes it
    shutil.copyfileobj(sys.stdin.buffer, spool)
    spool.seek(0)
    return spool


def _wish(task: Task, pairs: list[str]) -> Any:
    fields = dict(pair.partition("=")[::2] for pair in pairs)
    try:
        return task.request.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise CannotRun(f"--parameter {where}: {first['msg']}") from error


def _checkpoint(
    task: Task, model: str | None, discovery: Discovery, settings: ModelsSettings
) -> Checkpoint:
    found = [c for c in discovery.scan() if c.slot == task.name]
    if model is not None:
        found = [c for c in found if c.id == model]
        if not found:
            raise CannotRun(
                f"There is no model {model} for {task.name} in {settings.models_dir}. "
                "`atoll-inference models list` shows what is there."
            )
    if not found:
        catalog = read_catalog(find_catalog(settings.models_dir, settings.model_catalog))
        remedy = catalog.remedy(task.name, has_engine=True)
        raise CannotRun(f"No model for {task.name} is installed. {remedy}")
    usable = next((c for c in found if c.problem is None), None)
    if usable is None:
        raise CannotRun(f"{found[0].id} cannot be used: {found[0].problem}")
    return usable


def _moves(bar: "tqdm[Any]") -> Callable[[float, str], None]:
    def move(fraction: float, stage: str) -> None:
        bar.n = min(1.0, fraction)
        bar.refresh()

    return move
