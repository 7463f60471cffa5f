"""Serving: Atoll beside the bare forward pass, FastAPI's thread pool, LitServe and mosec.

    python -m benchmarks.serving.run [--kinds KIND,...] [--turns N] [--inputs N] [--clients N]
        [--out FILE]

Same weights, engine classes and inputs for all, in one run; the contenders take turns in changing
order. Inputs are unique. Throughput is with many clients that never pause; beside it stands the
processor time of an input in all processes of a contender, which depends little on what else the
machine does. Latency is taken at 50, 70 and 90 % of each contender's own maximum, and with one
client.
"""

import argparse
import platform
import random
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.serving.contenders import PEERS, Bare, Server, processor_seconds
from benchmarks.serving.inputs import KINDS, Kind
from benchmarks.soak.run import percentile

ROOT = Path(__file__).parents[2]
SPEECH = ROOT / "tests" / "media" / "speech"


def folder_for(kind: Kind, models: Path) -> Path:
    """The checkpoint, linked or made, as `models/<slot>/<name>`.

    The classifier has the size of the encoder and random weights: its speed is what counts here.
    """
    target = models / kind.slot / kind.name
    target.parent.mkdir(parents=True)
    if kind.name == "classifier":
        from benchmarks.soak.checkpoints import classifier_like

        source = next((ROOT / "models" / "text_embedding").glob("*/config.json")).parent
        classifier_like(source, target)
    else:
        source = next((ROOT / "models" / kind.slot).glob("*/config.json")).parent
        target.symlink_to(source)
    return target


def spread(values: list[float], digits: int = 2) -> str:
    """Median and range."""
    middle = statistics.median(values)
    return f"{middle:.{digits}f} [{min(values):.{digits}f}–{max(values):.{digits}f}]"


def compare(kind: Kind, scratch: Path, options: argparse.Namespace) -> list[str]:
    """The tables for one kind."""
    folder = folder_for(kind, scratch / kind.name / "models")
    seeds = random.Random(1)

    def inputs(count: int) -> list[bytes]:
        return kind.inputs(count, SPEECH, seeds.getrandbits(32))

    count = options.inputs // (10 if kind.name == "speech" else 1)
    log = scratch / f"{kind.name}.log"
    bares = [Bare("bare forward, best batches", kind, folder, "batch")]
    if kind.name == "speech":
        bares += [Bare(f"{m} alone", kind, folder, m) for m in ("faster-whisper", "transformers")]
    servers = [Server(name, kind, folder, log) for name in ("Atoll", *PEERS)]
    everyone: list[Bare | Server] = [*bares, *servers]
    try:
        for server in servers:
            server.wait(inputs(1)[0])
        rates: dict[str, list[float]] = {c.name: [] for c in everyone}
        alone: dict[str, list[float]] = {c.name: [] for c in everyone}
        costs: dict[str, list[float]] = {c.name: [] for c in everyone}
        for turn in range(options.turns + 1):
            batch, few = inputs(count), inputs(max(10, count // 10))
            shift = turn % len(everyone)
            for contender in everyone[shift:] + everyone[:shift]:
                before = processor_seconds(contender.process)
                if isinstance(contender, Bare):
                    rate = count / contender.measure(batch)
                else:
                    rate = count / contender.closed(batch, options.clients)[-1]
                cost = 1000 * (processor_seconds(contender.process) - before) / count
                if isinstance(contender, Bare):
                    single = [contender.measure([data]) for data in few]
                else:
                    single = contender.closed(few, 1)[:-1]
                if turn:  # the first turn only warms up
                    costs[contender.name].append(cost)
                    rates[contender.name].append(rate)
                    alone[contender.name].append(1000 * statistics.median(single))
        lines = _throughput(kind, rates, costs, alone)
        lines += _latency(servers, rates, inputs, count)
    finally:
        for contender in everyone:
            contender.close()
    return lines


def _throughput(
    kind: Kind,
    rates: dict[str, list[float]],
    costs: dict[str, list[float]],
    alone: dict[str, list[float]],
) -> list[str]:
    bare = next(iter(rates))
    lines = [
        f"### {kind.name}",
        "",
        "| contender | inputs/s | of the bare forward | processor ms an input | "
        "one client, ms | more than bare, ms |",
        "|---|---|---|---|---|---|",
    ]
    for name, values in rates.items():
        ratios = [v / b for v, b in zip(values, rates[bare], strict=True)]
        added = [v - b for v, b in zip(alone[name], alone[bare], strict=True)]
        lines.append(
            f"| {name} | {spread(values, 1)} | {spread(ratios)} | {spread(costs[name], 1)} | "
            f"{spread(alone[name], 1)} | {spread(added, 1)} |"
        )
    return [*lines, ""]


def _latency(
    servers: list[Server],
    rates: dict[str, list[float]],
    inputs: Callable[[int], list[bytes]],
    count: int,
) -> list[str]:
    lines = [
        "| contender | 50 %: p50, p99 in ms | 70 % | 90 % |",
        "|---|---|---|---|",
    ]
    for server in servers:
        cells = []
        for share in (0.5, 0.7, 0.9):
            rate = share * statistics.median(rates[server.name])
            seconds = server.open(inputs(count), rate)
            cells.append(
                f"{1000 * percentile(seconds, 0.5):.1f}, {1000 * percentile(seconds, 0.99):.1f}"
            )
        lines.append(f"| {server.name} | {' | '.join(cells)} |")
    return [*lines, ""]


def main() -> None:
    """Run and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--inputs", type=int, default=1000)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    lines = [f"{platform.machine()}, {options.clients} clients", ""]
    print(lines[0], flush=True)
    with tempfile.TemporaryDirectory(prefix="atoll-bench-") as scratch:
        for name in options.kinds.split(","):
            tables = compare(KINDS[name], Path(scratch), options)
            # A kind takes many minutes: what is known must not be lost with a later failure.
            print("\n".join(tables), flush=True)
            lines += tables
    if options.out:
        options.out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
