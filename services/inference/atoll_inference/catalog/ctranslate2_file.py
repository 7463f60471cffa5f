"""What a CTranslate2 `model.bin` says about itself, and whether all of it is there.

The layout is that of CTranslate2's own writer, `python/ctranslate2/specs/model_spec.py`: version,
name and revision of the specification, then each variable with its shape, type and bytes.
"""

import mmap
import struct
from collections import Counter
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Final

from atoll_inference.catalog.headers import BadHeader

_U8: Final = struct.Struct("<B")
_U16: Final = struct.Struct("<H")
_U32: Final = struct.Struct("<I")
_NAMES: Final = {0: "fp32", 1: "int8", 2: "int16", 3: "int32", 4: "fp16", 5: "bf16"}
_NEWEST: Final = 6


@dataclass(frozen=True, slots=True)
class Ctranslate2Header:
    """`specification` is the kind of model, such as `WhisperSpec`; `dtype` that of most weights."""

    specification: str
    dtype: str | None


def read(path: Path) -> Ctranslate2Header:
    """Read and check the table of variables.

    Raises:
        BadHeader: it is no CTranslate2 file, or ends before its last variable.
        OSError: it cannot be opened.
    """
    if path.stat().st_size < _U32.size:
        raise BadHeader("it is empty")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            return _parse(_Cursor(data))
        except struct.error:
            raise BadHeader(f"it ends early, at {len(data)} bytes") from None


class _Cursor:
    def __init__(self, data: mmap.mmap) -> None:
        self.data = data
        self.at = 0

    def number(self, layout: struct.Struct) -> int:
        value: int = layout.unpack_from(self.data, self.at)[0]
        self.at += layout.size
        return value

    def skip(self, length: int) -> None:
        if self.at + length > len(self.data):
            raise struct.error
        self.at += length

    def text(self) -> str:
        length = self.number(_U16)
        start = self.at
        self.skip(length)
        return self.data[start : self.at].rstrip(b"\0").decode("utf-8", "replace")


def _parse(cursor: _Cursor) -> Ctranslate2Header:
    version = cursor.number(_U32)
    if not 2 <= version <= _NEWEST:
        raise BadHeader("it is no CTranslate2 model")
    specification = cursor.text()
    cursor.skip(_U32.size)  # revision of the specification
    counts: Counter[int] = Counter()
    for _ in range(cursor.number(_U32)):
        cursor.text()
        shape = [cursor.number(_U32) for _ in range(cursor.number(_U8))]
        # Version 4 replaced the size of an element by a type.
        kind = cursor.number(_U8)
        count = cursor.number(_U32)
        cursor.skip(count if version >= 4 else count * kind)
        if shape:
            counts[kind] += prod(shape)
    dtype = _NAMES.get(counts.most_common(1)[0][0]) if counts and version >= 4 else None
    return Ctranslate2Header(specification, dtype)
