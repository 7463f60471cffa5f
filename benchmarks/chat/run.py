"""Chat: tokens per second and time to first token, beside the bare engine, in one run.

    python -m benchmarks.chat.run [--repeats N] [--pairs N] [--tokens N] [--out FILE]

Starts a stack of its own on free ports with the starter model, and the engine alone beside it.
The contenders take turns in changing order; only one of them works at a time. Prompts have one
length and none comes twice, so that no cache helps. Ratios are made within a turn and then
summarised by their median, with the range in brackets.
"""

import argparse
import json
import os
import platform
import random
import statistics
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.chat.contenders import Bare, Contender, Http
from tests.e2e.person import first_admin
from tests.e2e.stack import MODELS, Stack

CLIENTS = (1, 2, 4, 8)
CONTEXT, SLOTS = 2048, 4


def prompts(count: int) -> list[str]:
    """Questions of one length that share no beginning, with each other or any asked before."""
    # Digits are tokens of their own, so every question has the same number of tokens.
    return [
        f"{random.randrange(10**23, 10**24)} is a ship. Tell its long story." for _ in range(count)
    ]


def spread(values: list[float], digits: int = 2) -> str:
    """Median and range."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f} [{low:.{digits}f}–{high:.{digits}f}]"


def throughput(
    contenders: list[Contender], repeats: int, tokens: int
) -> dict[int, dict[str, list[dict[str, Any]]]]:
    """Turns of every contender at each number of clients."""
    results: dict[int, dict[str, list[dict[str, Any]]]] = {}
    for clients in CLIENTS:
        rows: dict[str, list[dict[str, Any]]] = {c.name: [] for c in contenders}
        for turn in range(repeats):
            shift = turn % len(contenders)
            for contender in contenders[shift:] + contenders[:shift]:
                rows[contender.name].append(contender.measure(prompts(clients), tokens))
        results[clients] = rows
    return results


def first_token_pairs(contenders: list[Contender], pairs: int) -> dict[str, list[float]]:
    """Seconds to the first token with one client, in alternating turns."""
    rows: dict[str, list[float]] = {c.name: [] for c in contenders}
    for turn in range(pairs):
        order = contenders if turn % 2 else contenders[::-1]
        for contender in order:
            rows[contender.name] += contender.measure(prompts(1), 2)["first"]
    return rows


def report(
    results: dict[int, dict[str, list[dict[str, Any]]]], firsts: dict[str, list[float]]
) -> str:
    """The tables, in Markdown."""
    names = list(firsts)
    bare, service, gateway = names
    lines = [
        f"{platform.processor() or platform.machine()}, {len(os.sched_getaffinity(0))} cores",
        "",
        "| clients | contender | tokens/s | of the bare engine | first token, ms |",
        "|---|---|---|---|---|",
    ]
    for clients, rows in results.items():
        rates = {n: [r["tokens"] / r["seconds"] for r in rows[n]] for n in names}
        for name in names:
            ratios = [a / b for a, b in zip(rates[name], rates[bare], strict=True)]
            first = [1000 * statistics.median(r["first"]) for r in rows[name]]
            lines.append(
                f"| {clients} | {name} | {spread(rates[name], 1)} | {spread(ratios)} "
                f"| {spread(first, 0)} |"
            )
    lines += [
        "",
        f"First token, one client, {len(firsts[bare])} alternating turns, paired differences:",
        "",
    ]
    for name, base in ((service, bare), (gateway, service)):
        added = [1000 * (a - b) for a, b in zip(firsts[name], firsts[base], strict=True)]
        quarter = statistics.quantiles(added, n=4)
        lines.append(
            f"- {name} minus {base}: median {statistics.median(added):+.2f} ms "
            f"(quartiles {quarter[0]:+.2f} to {quarter[2]:+.2f})"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, print and, if asked, write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7, help="turns at each number of clients")
    parser.add_argument("--pairs", type=int, default=60, help="turns for the first token")
    parser.add_argument("--tokens", type=int, default=96, help="tokens of each answer")
    parser.add_argument("--out", type=Path, help="file to which the tables are written")
    options = parser.parse_args()
    weights = next(MODELS.glob("chat/*/*.gguf"))
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        limits = {"REQUESTS_PER_MINUTE": "0", "MAX_CONCURRENT": "64"}
        with Stack(data, CHAT_PARALLEL=str(SLOTS), CHAT_CONTEXT=str(CONTEXT), **limits) as stack:
            key = first_admin(stack).api_key()
            token = stack.secret("INTERNAL_TOKEN")
            bare = Bare(weights, CONTEXT, SLOTS)
            inference = Http(
                "inference service", stack.ports["INFERENCE_PORT"], {"X-Internal-Token": token}
            )
            gateway = Http("gateway", stack.ports["HTTP_PORT"], {"Authorization": f"Bearer {key}"})
            contenders: list[Contender] = [bare, inference, gateway]
            for contender in contenders:
                contender.measure(prompts(2), 8)
            results = throughput(contenders, options.repeats, options.tokens)
            firsts = first_token_pairs(contenders, options.pairs)
            bare.close()
    text = report(results, firsts)
    print(text)
    if options.out:
        options.out.write_text(text)
        options.out.with_suffix(".json").write_text(
            json.dumps({"throughput": results, "first_token": firsts})
        )


if __name__ == "__main__":
    main()
