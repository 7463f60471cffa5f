"""Loads all seven engines into one process and prints, as JSON, its memory and their times.

    python -m benchmarks.production.measure MODELS CACHE [--dtype D] [--device D] [--repeats N]

Started by `benchmarks.production.run`, in a process of its own so that memory is that of the
engines alone.
"""

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any, cast

from atoll_inference.catalog.checkpoint import Checkpoint
from atoll_inference.catalog.discovery import Discovery
from atoll_inference.engines.base import BatchEngine, Dtype, EngineError
from atoll_inference.engines.cpus import usable_cpus
from atoll_inference.engines.factory import SERVED, Wishes, build_engine, find_detector
from atoll_inference.engines.runtime import Runtime
from benchmarks.production.inputs import Given, NoInput, item_for

SLOTS = (
    "speech_recognition",
    "emotion_detection",
    "text_summarization",
    "audio_denoising",
    "video_enhancement",
    "audio_deepfake",
    "face_deepfake",
)


def memory() -> dict[str, int]:
    """Resident bytes of this process, now and at most."""
    lines = Path("/proc/self/status").read_text().splitlines()
    values = dict(line.split(":", 1) for line in lines)
    return {
        name: int(values[key].split()[0]) * 1024
        for name, key in (("now", "VmRSS"), ("most", "VmHWM"))
    }


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Load, run and refuse."""
    discovery = Discovery(options.models, SERVED)
    found = discovery.scan()
    runtime = Runtime(
        device=options.device,
        dtype=cast(Dtype, options.dtype),
        threads=usable_cpus(),
        cache_dir=options.cache,
    )
    wishes = Wishes(detector=lambda: options.detector or find_detector(discovery))
    result: dict[str, Any] = {"threads": runtime.threads, "before": memory(), "slots": {}}
    engines: dict[str, BatchEngine] = {}
    for slot in SLOTS:
        checkpoint = next((c for c in found if c.slot == slot and c.problem is None), None)
        entry: dict[str, Any] = {"refused": _refusals(found, slot, runtime, wishes)}
        result["slots"][slot] = entry
        if checkpoint is None:
            entry["failed"] = "no checkpoint that can be served"
            continue
        entry |= {"model": checkpoint.id, "parameters": checkpoint.parameters}
        started = time.perf_counter()
        try:
            engine = build_engine(checkpoint, runtime, wishes)
            engine.load(lambda fraction, stage: None)
            engine.warmup()
        except (EngineError, ImportError) as error:
            entry["failed"] = str(error)
            continue
        assert isinstance(engine, BatchEngine)
        engines[slot] = engine
        entry |= {"load_s": time.perf_counter() - started, "after_load": memory()}
        entry["estimate"] = engine.bytes_estimate()
    result["loaded"] = memory()
    given = Given(options.speech, options.face, options.short)
    for slot, engine in engines.items():
        result["slots"][slot] |= _time(engine, slot, given, options.repeats)
    result["after_runs"] = memory()
    if options.trained:
        # How long an answer is depends on the weights, and so does the time of writing it.
        trained = build_engine(
            discovery.inspect(options.trained, "speech_recognition"), runtime, wishes
        )
        trained.load(lambda fraction, stage: None)
        assert isinstance(trained, BatchEngine)
        entry = _time(trained, "speech_recognition", given, options.repeats)
        result["slots"]["speech_recognition, trained weights"] = {
            "refused": [], "model": options.trained.name, **entry,
        }  # fmt: skip
    return result


def _refusals(
    found: list[Checkpoint], slot: str, runtime: Runtime, wishes: Wishes
) -> list[dict[str, str]]:
    """What the catalog and the engine itself say to checkpoints that cannot be served."""
    refused = []
    for checkpoint in found:
        if checkpoint.slot == slot and checkpoint.problem is not None:
            try:
                engine = build_engine(checkpoint, runtime, wishes)
                engine.load(lambda fraction, stage: None)
                answer = "IT LOADED"
            except (EngineError, ImportError) as error:
                answer = str(error)
            entry = {"model": checkpoint.id, "catalog": checkpoint.problem, "engine": answer}
            refused.append(entry)
    return refused


def _time(engine: BatchEngine, slot: str, given: Given, repeats: int) -> dict[str, Any]:
    try:
        what, item = item_for(slot, given)
    except NoInput as reason:
        return {"skipped": str(reason)}
    engine.run(item)
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        answer = engine.run(item)
        seconds.append(time.perf_counter() - started)
    return {
        "input": what,
        "seconds": seconds,
        "median_s": statistics.median(seconds),
        "note": _note(answer),
    }


def _note(answer: Any) -> str:
    """What has to be known of an answer to judge its time."""
    counts = ("tokens", "windows", "input_tokens", "summary_tokens", "chunks", "text", "faces")
    notes = []
    for name in counts:
        value = getattr(answer, name, None)
        if isinstance(value, int):
            notes.append(f"{name} {value}")
        elif isinstance(value, str | tuple | list):
            notes.append(f"{name}: {len(value)}")
    return ", ".join(notes)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", type=Path)
    parser.add_argument("cache", type=Path)
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--speech", type=Path)
    parser.add_argument("--face", type=Path)
    parser.add_argument("--detector", type=Path)
    parser.add_argument("--trained", type=Path, help="a whisper of the same size to time too")
    parser.add_argument("--short", action="store_true")
    print(json.dumps(measure(parser.parse_args())))


if __name__ == "__main__":
    main()
