"""Mixed traffic through the gateway: nobody hangs, nobody pays for somebody else's fault."""

import asyncio
from pathlib import Path

import psutil

from benchmarks.soak.checkpoints import fill
from benchmarks.soak.run import SLOTS, report
from benchmarks.soak.traffic import Traffic

from .person import first_admin
from .stack import MODELS, Stack

REQUESTS, CLIENTS = 500, 8


def test_five_hundred_mixed_requests(tmp_path: Path) -> None:
    models = tmp_path / "models"
    fill(models, MODELS)
    with Stack(
        tmp_path / "data",
        MODELS_DIR=str(models),
        PRELOAD=SLOTS,
        REQUESTS_PER_MINUTE="100000",
        MAX_CONCURRENT=str(4 * CLIENTS),
    ) as stack:
        stack.wait_ready(180)
        key = first_admin(stack).api_key()
        process = psutil.Process(stack.pid("atoll-inference"))
        traffic = Traffic(
            stack.url,
            {"Authorization": f"Bearer {key}"},
            rss=lambda: int(process.memory_info().rss),
        )
        tally = asyncio.run(traffic.send(REQUESTS, CLIENTS, 600))
    print(report(tally, 1))
    assert tally.faults == []
    assert tally.total == REQUESTS
    assert tally.not_ready == 0
