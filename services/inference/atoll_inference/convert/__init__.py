"""Turns weights that arrive pickled, or in a layout of their own, into safetensors folders.

Each module is one kind and has `convert(source: Path, target: Path) -> None`: `source` is the
folder that was fetched, `target` an empty folder that the whole checkpoint is written to. It raises
`BadSource` when the source is not what it should be.

Pickles can run code when they are read, so conversion happens in a process of its own, started as
`python -m atoll_inference.convert KIND SOURCE TARGET`; the service never reads one.
"""


class BadSource(Exception):
    """The source cannot be converted; the message names the file and the reason."""
