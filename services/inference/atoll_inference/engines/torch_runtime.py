"""PyTorch on one device: threads, number format, memory figures and running out of it."""

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import torch

from atoll_inference.engines.base import LoadFailed, OutOfMemory
from atoll_inference.engines.runtime import Runtime
from atoll_inference.engines.torchaudio_stub import let_torchaudio_import

_NAMES: dict[str, torch.dtype] = {
    "fp32": torch.float32,
    "fp16": torch.float16,
    "bf16": torch.bfloat16,
}


def torch_device(runtime: Runtime) -> torch.device:
    """The device of `runtime`.

    Raises:
        LoadFailed: it names a GPU that is not there.
    """
    if runtime.device == "auto":
        return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    device = torch.device(runtime.device)
    if device.type == "cuda" and (
        not torch.cuda.is_available() or (device.index or 0) >= torch.cuda.device_count()
    ):
        raise LoadFailed(
            f"DEVICE says {runtime.device}, and PyTorch sees {torch.cuda.device_count()} GPUs "
            "here. Set DEVICE to cpu or to a GPU that is there."
        )
    return device


def torch_dtype(runtime: Runtime) -> torch.dtype:
    """The format of activations: fp32 on a CPU and fp16 on a GPU unless DTYPE names another.

    With `int8` the weights of linear layers are quantised and activations stay fp32.
    """
    if runtime.dtype in _NAMES:
        return _NAMES[runtime.dtype]
    if runtime.dtype == "auto" and torch_device(runtime).type == "cuda":
        return torch.float16
    return torch.float32


def prepare(runtime: Runtime) -> None:
    """Settings of the whole process, before a load; harmless to repeat."""
    torch.set_num_threads(runtime.threads)
    # transformers imports torchaudio where it is installed, for text models too.
    with suppress(ModuleNotFoundError):
        let_torchaudio_import()


@contextmanager
def memory_errors() -> Iterator[None]:
    """Turn the ways in which PyTorch says that memory is out into `OutOfMemory`.

    The new error has no traceback into the failed call, which would keep its tensors alive.
    """
    message: str | None = None
    try:
        yield
    except torch.OutOfMemoryError as error:
        message = str(error)
    except MemoryError as error:
        message = str(error) or "the host has no memory left"
    except RuntimeError as error:
        if "can't allocate memory" not in str(error) and "out of memory" not in str(error):
            raise
        message = str(error)
    if message is not None:
        raise OutOfMemory(message.splitlines()[0])


def release(device: torch.device) -> None:
    """Give cached blocks back to the device, and freed memory back to the system."""
    gc.collect()
    if device.type == "cuda":
        with torch.cuda.device(device):
            torch.cuda.empty_cache()
    # glibc keeps what is freed in many small blocks; other C libraries have no such call.
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
