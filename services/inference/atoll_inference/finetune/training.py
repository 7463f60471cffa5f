"""A fine-tune from the data folder to the finished checkpoint."""

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from atoll_inference.engines.base import EngineError, OutOfMemory
from atoll_inference.engines.torch_runtime import memory_errors, prepare, torch_device
from atoll_inference.finetune import FinetuneFailed
from atoll_inference.finetune.baseline import baseline
from atoll_inference.finetune.metrics import quality
from atoll_inference.finetune.recipe import Job
from atoll_inference.finetune.report import Report
from atoll_inference.finetune.samples import Sample, Skipped, examine, list_files
from atoll_inference.finetune.split import split_by_source
from atoll_inference.finetune.trainer import Trainer
from atoll_inference.finetune.work import Work

_SAID = 10


def finetune(job: Job) -> Report:
    """Train on the folders `real/` and `fake/` of the data, and write a checkpoint.

    The output appears only when it is complete: config.json, model.safetensors, what the recipe
    adds, report.json, report.md with its chart, and a model card. Until then everything is in a
    hidden folder beside it, from which a killed call is gone on with.

    Raises:
        FinetuneFailed: data, base, options or disk; the message is one line and says what to do.
    """
    start = time.monotonic()
    if job.output.exists():
        raise FinetuneFailed(
            f"{job.output} is there already. Delete it, or choose another --output."
        )
    work = Work(job.output)
    runtime = job.options.runtime
    try:
        with work.held(), memory_errors():
            prepare(runtime)
            report = _run(job, work, torch_device(runtime), start)
            work.publish(job.output)
            return report
    except OutOfMemory as error:
        raise FinetuneFailed(
            f"{error}. Delete {work.folder} and start again with a smaller --batch."
        ) from error
    except EngineError as error:
        raise FinetuneFailed(str(error)) from error


def _run(job: Job, work: Work, device: torch.device, start: float) -> Report:
    recipe, options, say = job.recipe, job.options, job.say
    samples, skipped = _plan(job, work)
    for item in skipped[:_SAID]:
        say(f"left out {item.path}: {item.reason}")
    if len(skipped) > _SAID:
        say(f"left out {len(skipped) - _SAID} more files; the report lists them")
    split = split_by_source(samples, options.seed)
    for name, chosen in split.sets.items():
        say(f"{name}: {len(chosen)} files of {len({s.source for s in chosen})} sources")
    if split.shares_sources:
        say("too few sources for three sets: validation shares sources with training")
    torch.manual_seed(options.seed)
    model = recipe.load(job.base).to(device)
    trainer = Trainer(job, model, split, work)
    trainer.train()
    say(f"judging the {len(split.test)} files of the test set")
    result = work.result()
    model.to("cpu").save_pretrained(result)
    recipe.save_processing(job.base, result)
    del model
    judge = recipe.judge(result, options.runtime)
    scores = [judge(job.data / sample.path) for sample in split.test]
    report = Report(
        task=recipe.task,
        base=job.base.resolve().name,
        output=job.output,
        options=options.decisive,
        split=split,
        skipped=tuple(skipped),
        epochs=tuple(trainer.history),
        best_epoch=trainer.best.epoch,
        test=quality([sample.label for sample in split.test], scores),
        scores=tuple(scores),
        baseline=baseline(split.training, split.test),
        feature_names=recipe.feature_names,
        seconds=time.monotonic() - start,
    )
    report.write(result)
    return report


def _plan(job: Job, work: Work) -> tuple[Sequence[Sample], Sequence[Skipped]]:
    """The samples, looked at now or by the call that was interrupted.

    Raises:
        FinetuneFailed: an interrupted call is there and not to be resumed, or it was another.
    """
    files = list_files(job.data)
    plan: dict[str, Any] = {
        "task": job.recipe.task,
        "settings": job.recipe.settings(),
        "base": _fingerprint(job.base),
        "files": [list(file) for file in files],
        **job.options.decisive,
    }
    if not work.started:
        job.say(f"looking at {len(files)} files")
        samples, skipped = examine(job.data, files, job.recipe.features, job.say)
        plan["samples"] = [asdict(sample) for sample in samples]
        plan["skipped"] = [asdict(item) for item in skipped]
        work.write_plan(plan)
        return samples, skipped
    if not job.options.resume:
        raise FinetuneFailed(
            f"A fine-tune was interrupted in {work.folder}. Add --resume to go on with it, or "
            "delete that folder."
        )
    kept = work.read_plan()
    changed = [key for key, value in json.loads(json.dumps(plan)).items() if kept.get(key) != value]
    if changed:
        names = {"files": "the files in --data", "settings": "the settings of this release"}
        what = ", ".join(names.get(key, f"--{key.replace('_', '-')}") for key in changed)
        raise FinetuneFailed(
            f"The interrupted fine-tune in {work.folder} differs in {what}. Give the same again, "
            "or delete that folder and start anew."
        )
    return (
        [Sample(**{**item, "features": tuple(item["features"])}) for item in kept["samples"]],
        [Skipped(**item) for item in kept["skipped"]],
    )


def _fingerprint(base: Path) -> list[Any]:
    """Changes when the base does: its name, its config and the sizes of its weights."""
    try:
        config = hashlib.sha256((base / "config.json").read_bytes()).hexdigest()
        sizes = [[f.name, f.stat().st_size] for f in sorted(base.glob("*.safetensors"))]
    except OSError as error:
        raise FinetuneFailed(
            f"{base} has no config.json that can be read ({error.strerror}). --base names the "
            "folder of a checkpoint."
        ) from error
    return [base.name, config, sizes]
