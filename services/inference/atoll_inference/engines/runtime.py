"""Where and how an engine runs, as the operator wants it; free of any runtime."""

from dataclasses import dataclass
from pathlib import Path

from atoll_inference.engines.base import Dtype


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """What every engine is built with.

    Attributes:
        device: `auto` (a GPU when the runtime sees one), `cpu` or `cuda:N`.
        dtype: `auto` is what is fastest on the device with the same answers. `int8` quantises
            weights on a CPU.
        threads: processor threads of a forward pass.
        cache_dir: where weights converted for a runtime are kept between starts.
    """

    device: str = "auto"
    dtype: Dtype = "auto"
    threads: int = 1
    cache_dir: Path = Path("data/cache")
