"""How many processors this process may really use."""

import os
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")


def usable_cpus(cgroup: Path = _CGROUP) -> int:
    """Processors by affinity and by the container's quota, whichever is fewer; at least 1.

    A runtime that starts a thread for every processor of the host, inside a container that may
    use two, runs many times slower than with two threads.
    """
    by_affinity = len(os.sched_getaffinity(0))
    quota = _quota(cgroup)
    return max(1, by_affinity if quota is None else min(by_affinity, round(quota)))


def _quota(cgroup: Path) -> float | None:
    """The processor quota of this control group (version 2, then version 1); None: unlimited."""
    try:
        limit, period = (cgroup / "cpu.max").read_text().split()
        return None if limit == "max" else int(limit) / int(period)
    except (OSError, ValueError):
        pass
    try:
        micros = int((cgroup / "cpu" / "cpu.cfs_quota_us").read_text())
        period_micros = int((cgroup / "cpu" / "cpu.cfs_period_us").read_text())
        return micros / period_micros if micros > 0 else None
    except (OSError, ValueError):
        return None
