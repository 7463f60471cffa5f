"""The seven production checkpoints: fetched, converted, locked, verified, loaded and timed.

    python -m benchmarks.production.run [--dtypes fp32,auto,int8] [--device D] [--out FILE]

Makes checkpoints of the exact production architectures and sizes with random weights, in their
authors' own layout, serves them from a model hub on loopback, and takes the operator's way from
there. Answers mean nothing; memory and time do. Needs 5 GB of disk and some minutes.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.production.measure import SLOTS

ROOT = Path(__file__).resolve().parents[2]
BUILDERS = ROOT / "services" / "inference" / "tests"
LIMIT_BYTES = 8_000_000_000
LIMIT_S = 5.0
SPEECH = ROOT / "tests" / "media" / "speech" / "queue-periodic-announce.wav"


def photograph() -> Path | None:
    """A person before a camera: a picture that scikit-image brings along."""
    found = find_spec("skimage")
    picture = (
        Path(found.origin).parent / "data" / "astronaut.png" if found and found.origin else None
    )
    return picture if picture and picture.is_file() else None


def python(*arguments: str, **variables: str) -> str:
    """Output of a Python program of this checkout."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.stdout.write(done.stdout)
        raise SystemExit(f"{' '.join(arguments)} ended with status {done.returncode}")
    return done.stdout


@contextmanager
def hub(folder: Path) -> Iterator[str]:
    """Serve the repositories in `folder`; gives the address."""
    process = subprocess.Popen(
        [sys.executable, str(BUILDERS / "fake_hub.py"), str(folder)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield next(line.strip() for line in process.stdout if line.startswith("http://"))
    finally:
        process.terminate()
        process.wait()


def prepare(work: Path, tiny: bool) -> list[str]:
    """Build, fetch, lock and verify; returns what there is to tell."""
    originals, models = work / "originals", work / "models"
    size = ["--tiny"] if tiny else []
    python(
        str(BUILDERS / "production_layouts.py"), str(originals), "--detectors", str(models), *size
    )
    told = []
    with hub(originals) as address:
        environment = {
            "MODELS_DIR": str(models), "HF_ENDPOINT": address, "HF_HUB_OFFLINE": "1",
            "HF_HOME": str(work / "hf"),
        }  # fmt: skip
        command = ["-m", "atoll_inference", "models"]
        started = time.perf_counter()
        print(python(*command, "fetch", *SLOTS, **environment), flush=True)
        told.append(f"fetched and converted in {time.perf_counter() - started:.0f} s")
        started = time.perf_counter()
        again = python(*command, "fetch", *SLOTS, **environment)
        assert again.count("already installed") == len(SLOTS), again
        told.append(f"a second fetch took {time.perf_counter() - started:.1f} s")
    started = time.perf_counter()
    checked = python(*command, "verify", MODELS_DIR=str(models)).splitlines()
    assert all(line.endswith(": ok") for line in checked), checked
    told.append(
        f"{len(checked)} files verified without the hub in {time.perf_counter() - started:.1f} s"
    )
    subprocess.run(["rm", "-r", str(originals)], check=True)
    return told


def table(results: dict[str, dict[str, Any]]) -> list[str]:
    """Seconds and memory by number format, beside the limits."""
    names = list(results)
    lines = [
        "| task | input | parameters | limit | " + " | ".join(names) + " |",
        "|---|---|---|---|" + "---|" * len(names),
    ]
    for slot in results[names[0]]["slots"]:
        entries = [results[name]["slots"][slot] for name in names]
        first = next((e for e in entries if "input" in e), entries[0])
        count = first.get("parameters")
        lines.append(
            f"| {slot} | {first.get('input', '–')} | {f'{count / 1e6:.1f} M' if count else '–'} "
            f"| {LIMIT_S:.0f} s | {' | '.join(_cell(entry) for entry in entries)} |"
        )
    for what, key in (("all seven loaded", "loaded"), ("after the runs", "after_runs")):
        cells = [f"{results[name][key]['now'] / 1e9:.2f} GB" for name in names]
        lines.append(f"| memory, {what} | | | {LIMIT_BYTES / 1e9:.0f} GB | {' | '.join(cells)} |")
    cells = [f"{results[name]['after_runs']['most'] / 1e9:.2f} GB" for name in names]
    lines.append(f"| memory, at most | | | {LIMIT_BYTES / 1e9:.0f} GB | {' | '.join(cells)} |")
    return lines


def _cell(entry: dict[str, Any]) -> str:
    if "median_s" not in entry:
        return " ".join(str(entry.get("failed") or entry.get("skipped")).split())
    median, note = entry["median_s"], entry["note"]
    over = f", {median / LIMIT_S:.1f} × the limit" if median > LIMIT_S else ""
    spread = f"{min(entry['seconds']):.2f}–{max(entry['seconds']):.2f}"
    return f"{median:.2f} s [{spread}]{over}{f' ({note})' if note else ''}"


def refusals(result: dict[str, Any]) -> list[str]:
    """What was said to checkpoints that cannot judge."""
    return [
        f"- {entry['model']}: the catalog says “{entry['catalog']}”, the engine “{entry['engine']}”"
        for slots in result["slots"].values()
        for entry in slots["refused"]
    ]


def main() -> None:
    """Take the whole way and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dtypes", default="fp32,auto,int8")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument(
        "--speech", type=Path, default=SPEECH, help="a recording of somebody talking"
    )
    parser.add_argument("--face", type=Path, default=photograph(), help="a picture with a face")
    parser.add_argument(
        "--starters", type=Path, default=ROOT / "models", help="models folder of starters"
    )
    parser.add_argument("--tiny", action="store_true", help="small sizes, to try the way")
    parser.add_argument("--work", type=Path, help="where to put 5 GB for a while")
    parser.add_argument("--out", type=Path, help="file to which the table is written")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="atoll-production-", dir=options.work) as folder:
        work = Path(folder)
        told = prepare(work, options.tiny)
        given = ["--repeats", str(options.repeats), "--device", options.device]
        given += ["--short"] if options.tiny else []
        for name in ("speech", "face"):
            value = getattr(options, name)
            given += [f"--{name}", str(value.resolve())] if value else []
        detector = next(options.starters.resolve().glob("face_detection/*"), None)
        given += ["--detector", str(detector)] if detector else []
        trained = next(options.starters.resolve().glob("speech_recognition/whisper-tiny*"), None)
        given += ["--trained", str(trained)] if trained else []
        results = {
            dtype: json.loads(
                python(
                    "-m", "benchmarks.production.measure", str(work / "models"),
                    str(work / "cache"), "--dtype", dtype, *given,
                ).splitlines()[-1]
            )
            for dtype in options.dtypes.split(",")
        }  # fmt: skip
    first = next(iter(results.values()))
    machine = f"{platform.processor() or platform.machine()}, {first['threads']} threads"
    text = "\n".join(
        [f"{machine}, {options.device}", "", *told, "", *table(results), "", *refusals(first)]
    )
    text = text.replace(str(work / "models"), "models")
    print(text)
    if options.out:
        options.out.write_text(text + "\n")
        options.out.with_suffix(".json").write_text(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
