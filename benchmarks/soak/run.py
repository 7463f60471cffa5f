"""Soak: mixed requests for up to half an hour through the gateway of a stack of its own.

    python -m benchmarks.soak.run [--requests N] [--clients N] [--limit SECONDS] [--out FILE]

Embeddings and speech run on the starter models. The slots without starter weights get small
checkpoints with random weights, since what is watched here is behaviour, not content.
"""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.soak.checkpoints import fill
from benchmarks.soak.traffic import Tally, Traffic
from tests.e2e.person import first_admin
from tests.e2e.stack import MODELS, Stack

SLOTS = (
    "default,emotion_detection,text_embedding,reranker,speech_recognition,video_enhancement,"
    "text_summarization"
)


def percentile(values: list[float], share: float) -> float:
    """The value below which `share` of all lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def report(tally: Tally, seconds: float) -> str:
    """The tables, in Markdown."""
    lines = [
        f"{tally.total} requests in {seconds:.0f} s ({tally.total / seconds:.1f} a second), "
        f"{tally.abandoned} abandoned by their client, {tally.retried} told to come back.",
        "",
        "| kind | answered | poison refused | p50, s | p99, s |",
        "|---|---|---|---|---|",
    ]
    for kind, values in sorted(tally.seconds.items()):
        lines.append(
            f"| {kind} | {tally.done[kind]} | {tally.refused[kind]} | "
            f"{percentile(values, 0.5):.3f} | {percentile(values, 0.99):.3f} |"
        )
    if tally.rss:
        tenth = max(1, len(tally.rss) // 10)
        parts = [tally.rss[i : i + tenth] for i in range(0, len(tally.rss), tenth)]
        mebibytes = ", ".join(str(round(max(p) / 2**20)) for p in parts)
        lines += ["", f"Resident memory of inference over time, MiB: {mebibytes}"]
    lines += [
        "",
        f"Readiness probes: {tally.probes}, of which not ready or late: {tally.not_ready}",
        f"Faults: {len(tally.faults)}",
        *(f"- {fault}" for fault in tally.faults[:20]),
    ]
    return "\n".join(lines)


def main() -> int:
    """Run, print the report, and fail on any fault."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--limit", type=float, default=1800, metavar="SECONDS")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="atoll-soak-") as scratch:
        models = Path(scratch) / "models"
        fill(models, MODELS)
        stack = Stack(
            Path(scratch) / "data",
            MODELS_DIR=str(models),
            PRELOAD=SLOTS,
            REQUESTS_PER_MINUTE="100000",
            MAX_CONCURRENT=str(4 * options.clients),
        )
        try:
            stack.start()
            stack.wait_ready(180)
            key = first_admin(stack).api_key(name="soak")
            process = psutil.Process(stack.pid("atoll-inference"))
            traffic = Traffic(
                stack.url,
                {"Authorization": f"Bearer {key}"},
                rss=lambda: int(process.memory_info().rss),
            )
            started = time.monotonic()
            tally = asyncio.run(traffic.send(options.requests, options.clients, options.limit))
            text = report(tally, time.monotonic() - started)
        finally:
            stack.stop()
    print(text)
    if options.out:
        options.out.write_text(text + "\n")
    return 1 if tally.faults or tally.not_ready else 0


if __name__ == "__main__":
    raise SystemExit(main())
