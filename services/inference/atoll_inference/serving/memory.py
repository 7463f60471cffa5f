"""What models really take: pages of this process and blocks of the GPUs."""

import ctypes
import gc
import os
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of this process on the host, and allocated by it on all GPUs together."""

    host: int
    device: int

    def __sub__(self, other: "Memory") -> "Memory":
        return Memory(max(0, self.host - other.host), max(0, self.device - other.device))


def measure() -> Memory:
    """Resident pages now, and what the GPU allocator has handed out."""
    try:
        resident = int(Path("/proc/self/statm").read_text().split()[1])
        host = resident * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        host = 0
    # Asked only where an engine has brought PyTorch in; importing it here would take seconds.
    torch = sys.modules.get("torch")
    device = 0
    if torch is not None and torch.cuda.is_available():
        device = sum(torch.cuda.memory_allocated(i) for i in range(torch.cuda.device_count()))
    return Memory(host, device)


def give_back_freed() -> None:
    """Return freed memory to the system, where the C library would keep it for later."""
    gc.collect()
    try:
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    except (OSError, AttributeError):  # another C library than glibc
        return
