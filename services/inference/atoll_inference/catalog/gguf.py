"""Reads what a GGUF file says about itself, and whether all of it is there.

llama.cpp aborts the whole process on some damaged files, so a file is checked before it is
handed over: header, metadata, and the extent of every tensor against the size of the file.
Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3.
"""

import math
import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from atoll_inference.catalog.headers import BadHeader

MAX_ARRAY_KEPT: Final = 64
"""Longer arrays (vocabularies) are walked over and not kept."""

_SCALARS: Final = {
    0: struct.Struct("<B"),
    1: struct.Struct("<b"),
    2: struct.Struct("<H"),
    3: struct.Struct("<h"),
    4: struct.Struct("<I"),
    5: struct.Struct("<i"),
    6: struct.Struct("<f"),
    7: struct.Struct("<?"),
    10: struct.Struct("<Q"),
    11: struct.Struct("<q"),
    12: struct.Struct("<d"),
}
_STRING: Final = 8
_ARRAY: Final = 9
_U32: Final = struct.Struct("<I")
_U64: Final = struct.Struct("<Q")

# Elements in a block and bytes of a block, by ggml type number (ggml.h and ggml-common.h).
_BLOCKS: Final = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34),
    9: (32, 36), 10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210),
    15: (256, 292), 16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18),
    21: (256, 110), 22: (256, 82), 23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8),
    28: (1, 8), 29: (256, 56), 30: (1, 2), 34: (256, 54), 35: (256, 66), 39: (32, 17),
}  # fmt: skip


class BadGguf(BadHeader):
    """The file is not a complete GGUF file; the message says where it stops making sense."""


@dataclass(frozen=True, slots=True)
class Gguf:
    """Metadata of a GGUF file.

    Attributes:
        metadata: every key with its value; long arrays are given as their length.
        parameters: number of weights in this file.
    """

    metadata: dict[str, Any]
    parameters: int

    @property
    def architecture(self) -> str | None:
        """Family of the model, such as `llama`."""
        value = self.metadata.get("general.architecture")
        return value if isinstance(value, str) else None

    def number(self, name: str) -> int | None:
        """The metadata value `<architecture>.<name>` when it is a whole number."""
        value = self.metadata.get(f"{self.architecture}.{name}")
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    @property
    def cache_bytes_per_token(self) -> int:
        """Keys and values of one token over all layers at 16 bits, in bytes; 0 when unknown."""
        layers, width = self.number("block_count"), self.number("embedding_length")
        heads = self.number("attention.head_count")
        if not (layers and width and heads):
            return 0
        shared = self.number("attention.head_count_kv") or heads
        key = self.number("attention.key_length") or width // heads
        value = self.number("attention.value_length") or width // heads
        return layers * shared * (key + value) * 2


def read(path: Path) -> Gguf:
    """Read and check the file.

    Raises:
        BadGguf: it is not a GGUF file, or is shorter than its own table of tensors says.
        OSError: it cannot be opened.
    """
    size = path.stat().st_size
    if size < 24:
        raise BadGguf(f"it has {size} bytes, fewer than a header")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            return _parse(_Cursor(data), size)
        except struct.error:
            raise BadGguf(f"it ends within its header, at {size} bytes") from None


class _Cursor:
    """A position in the file."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data = data
        self.at = 0

    def unpack(self, layout: struct.Struct) -> Any:
        value = layout.unpack_from(self.data, self.at)[0]
        self.at += layout.size
        return value

    def skip(self, length: int) -> None:
        if self.at + length > len(self.data):
            raise struct.error
        self.at += length

    def text(self) -> str:
        length = self.unpack(_U64)
        start = self.at
        self.skip(length)
        return self.data[start : self.at].decode("utf-8", "replace")

    def value(self, kind: int) -> Any:
        if kind == _STRING:
            return self.text()
        if kind == _ARRAY:
            return self._array()
        if kind not in _SCALARS:
            raise BadGguf(f"its metadata has a value of unknown type {kind}")
        return self.unpack(_SCALARS[kind])

    def _array(self) -> Any:
        kind, count = self.unpack(_U32), self.unpack(_U64)
        if kind == _ARRAY:
            raise BadGguf("its metadata has nested arrays")
        if count <= MAX_ARRAY_KEPT:
            return [self.value(kind) for _ in range(count)]
        if kind == _STRING:
            for _ in range(count):
                self.skip(self.unpack(_U64))
        elif kind in _SCALARS:
            self.skip(_SCALARS[kind].size * count)
        else:
            raise BadGguf(f"its metadata has an array of unknown type {kind}")
        return count


def _parse(cursor: _Cursor, size: int) -> Gguf:
    if cursor.data[:4] != b"GGUF":
        raise BadGguf("it does not begin with the GGUF signature")
    cursor.skip(4)
    version = cursor.unpack(_U32)
    if version not in (2, 3):
        raise BadGguf(f"it is of GGUF version {version}, and versions 2 and 3 are supported")
    tensors, pairs = cursor.unpack(_U64), cursor.unpack(_U64)
    if tensors > 1_000_000 or pairs > 1_000_000:
        raise BadGguf("its header is damaged")
    metadata: dict[str, Any] = {}
    for _ in range(pairs):
        key = cursor.text()
        metadata[key] = cursor.value(cursor.unpack(_U32))
    parameters, end = _tensors(cursor, tensors)
    alignment = metadata.get("general.alignment", 32)
    if not isinstance(alignment, int) or alignment <= 0:
        raise BadGguf("its alignment is not a positive number")
    begin = math.ceil(cursor.at / alignment) * alignment
    if begin + end > size:
        raise BadGguf(f"it has {size} bytes and its tensors need {begin + end}: it is truncated")
    return Gguf(metadata, parameters)


def _tensors(cursor: _Cursor, count: int) -> tuple[int, int]:
    """Number of weights, and where the last tensor ends within the data section."""
    parameters = end = 0
    for _ in range(count):
        name = cursor.text()
        dimensions = cursor.unpack(_U32)
        if dimensions > 4:
            raise BadGguf(f"tensor {name!r} has {dimensions} dimensions")
        elements = math.prod(cursor.unpack(_U64) for _ in range(dimensions))
        kind, offset = cursor.unpack(_U32), cursor.unpack(_U64)
        parameters += elements
        # A type younger than this table has at least an offset to check.
        per_block, block_bytes = _BLOCKS.get(kind, (elements or 1, 0))
        end = max(end, offset + math.ceil(elements / per_block) * block_bytes)
    return parameters, end
