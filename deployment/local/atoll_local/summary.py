"""What a start has brought: which slots answer, and what all processes take."""

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import httpx

from atoll_local.environment import Environment


def ready_slots(environment: Environment, secrets: Mapping[str, str]) -> list[str]:
    """`slot (model)` of every slot that answers, with its default model; empty when none tells."""
    url = f"http://127.0.0.1:{environment.ports['INFERENCE_PORT']}/v1/models"
    headers = {"X-Internal-Token": secrets["INTERNAL_TOKEN"]}
    try:
        answer = httpx.get(url, headers=headers, timeout=5, trust_env=False)
        models = answer.raise_for_status().json()["data"]
        return [
            f"{model['slot']} ({model['id']})"
            for model in models
            if model["default"] and model["problem"] is None
        ]
    except (httpx.HTTPError, ValueError, LookupError, TypeError):
        return []


def resident_bytes(roots: Iterable[int]) -> int:
    """Memory of these processes and all they started; pages that they share count for each."""
    children: defaultdict[int, list[int]] = defaultdict(list)
    pages: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            # The name in parentheses may hold blanks; the parent is the second field after it.
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            pages[int(folder.name)] = int((folder / "statm").read_text().split()[1])
        except (OSError, ValueError, IndexError):  # it has ended meanwhile
            continue
        children[parent].append(int(folder.name))
    left, total = list(roots), 0
    while left:
        process = left.pop()
        total += pages.get(process, 0)
        left += children[process]
    return total * os.sysconf("SC_PAGE_SIZE")
