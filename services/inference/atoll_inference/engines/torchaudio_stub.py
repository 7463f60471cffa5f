"""Makes `import torchaudio` work beside a CPU build of PyTorch.

The package index has torchaudio built against CUDA alone. Its extension then finds no CUDA
libraries and fails the whole import, although those who import it here, speechbrain and parts of
transformers, use only its Python code.
"""

import importlib
import sys
import threading
from types import ModuleType
from typing import Any

import torch

_EXTENSION = "torchaudio._extension"

_lock = threading.Lock()
"""Models are loaded on several threads at once."""


def let_torchaudio_import() -> None:
    """Put an empty extension in the place of one that cannot be loaded; harmless to repeat.

    Decoding, alignment and the compiled filters of torchaudio then do not work. Nothing is done
    when PyTorch has CUDA, or when the extension loads.

    Raises:
        ModuleNotFoundError: torchaudio is not installed.
    """
    with _lock:
        if torch.version.cuda is not None or "torchaudio" in sys.modules:
            return
        try:
            importlib.import_module("torchaudio")
            return
        except ModuleNotFoundError:
            raise
        except (ImportError, OSError):
            for name in [name for name in sys.modules if name.split(".")[0] == "torchaudio"]:
                del sys.modules[name]
        stub = ModuleType(_EXTENSION, "Stands in for an extension that needs CUDA.")
        vars(stub).update(_IS_TORCHAUDIO_EXT_AVAILABLE=False, fail_if_no_align=_without_alignment)
        sys.modules[_EXTENSION] = stub


def _without_alignment(function: Any) -> Any:
    def refuse(*_: Any, **__: Any) -> Any:
        raise RuntimeError(f"{function.__name__} needs torchaudio's extension, which needs CUDA")

    return refuse
