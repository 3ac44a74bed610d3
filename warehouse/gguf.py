"""The head of a GGUF file: its key-value table and its tensor table, read within bounds.

Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3. Names and
block sizes of types are those of the gguf package. Counts and lengths in the file are believed
only as far as its bytes go.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType

from warehouse.tensor_header import HeaderBroken, TensorEntry, WeightHeader, element_count

MAGIC = b"GGUF"
VERSIONS = (2, 3)
MAX_DIMENSIONS = 8
MAX_NESTING = 4
DEFAULT_ALIGNMENT = 32
SCALARS = {
    **{0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i"},
    **{6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"},
}
STRING, ARRAY = 8, 9
TYPE_NAMES = {
    **{0: "uint8", 1: "int8", 2: "uint16", 3: "int16", 4: "uint32", 5: "int32", 6: "float32"},
    **{7: "bool", STRING: "string", ARRAY: "array", 10: "uint64", 11: "int64", 12: "float64"},
}


def read_gguf_header(head: bytes) -> WeightHeader:
    """Read the bytes of a GGUF file from its start to the end of its tensor table.

    Returns
    -------
    Shapes are row-major as numpy has them (a GGUF file lists the fastest dimension first); a type
    that the gguf package does not know is named ``ggml_type_N`` and its tensors have no byte count.
    Metadata keeps scalars and strings; an array becomes its element type and count.

    Raises
    ------
    HeaderBroken
        Not GGUF, truncated, or inconsistent.

    """
    cursor = _Cursor(head)
    if cursor.take(4) != MAGIC:
        raise HeaderBroken("does not begin with GGUF")
    version = cursor.number("I")
    if version not in VERSIONS:
        raise HeaderBroken(f"is GGUF of version {version}; only 2 and 3 are read")
    tensor_count, key_count = cursor.count(24), cursor.count(13)
    metadata = _metadata(cursor, key_count)
    entries = [_tensor_entry(cursor) for _ in range(tensor_count)]
    _check_offsets(entries, _alignment(metadata))
    tensors = [entry.tensor for entry in entries]
    if len({tensor.tensor_name for tensor in tensors}) < len(tensors):
        raise HeaderBroken("names a tensor twice")
    return WeightHeader("gguf", tensors, metadata, cursor.at)


@dataclass
class _Cursor:
    head: bytes
    at: int = 0

    def take(self, length: int) -> bytes:
        if length > len(self.head) - self.at:
            raise HeaderBroken(f"ends at byte {len(self.head):,}, within its header")
        self.at += length
        return self.head[self.at - length : self.at]

    def number(self, code: str) -> Any:
        return struct.unpack("<" + code, self.take(struct.calcsize("<" + code)))[0]

    def count(self, least_bytes: int) -> int:
        """A count of things that take at least so many bytes each: more cannot be there."""
        counted = int(self.number("Q"))
        if counted * least_bytes > len(self.head) - self.at:
            raise HeaderBroken(f"claims {counted:,} entries, more than its header can hold")
        return counted

    def text(self) -> str:
        return self.take(self.count(1)).decode("utf-8", "replace")


@dataclass(frozen=True)
class _Entry:
    tensor: TensorEntry
    offset: int = field(default=0)


def _metadata(cursor: _Cursor, key_count: int) -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    for _ in range(key_count):
        key = cursor.text()
        if key in metadata:
            raise HeaderBroken(f"has the key {key[:80]!r} twice")
        metadata[key] = _value(cursor, cursor.number("I"))
    return metadata


def _value(cursor: _Cursor, code: int) -> Any:
    if code in SCALARS:
        return cursor.number(SCALARS[code])
    if code == STRING:
        return cursor.text()
    if code == ARRAY:
        return _passed_array(cursor, 0)
    raise HeaderBroken(f"holds a value of the unknown type {code}")


def _passed_array(cursor: _Cursor, depth: int) -> dict[str, Any]:
    code = cursor.number("I")
    if code in SCALARS:
        width = struct.calcsize("<" + SCALARS[code])
        counted = cursor.count(width)
        cursor.take(counted * width)
    elif code in (STRING, ARRAY) and depth < MAX_NESTING:
        counted = cursor.count(8 if code == STRING else 12)
        for _ in range(counted):
            _pass_element(cursor, code, depth)
    else:
        raise HeaderBroken(f"holds an array of the unknown type {code}")
    return {"array_of": TYPE_NAMES[code], "count": counted}


def _pass_element(cursor: _Cursor, code: int, depth: int) -> None:
    if code == STRING:
        cursor.take(cursor.count(1))
    else:
        _passed_array(cursor, depth + 1)


def _tensor_entry(cursor: _Cursor) -> _Entry:
    name, dimensions = cursor.text(), cursor.number("I")
    if dimensions > MAX_DIMENSIONS:
        raise HeaderBroken(f"has a tensor of {dimensions:,} dimensions")
    fastest_first = [cursor.number("Q") for _ in range(dimensions)]
    code, offset = cursor.number("I"), cursor.number("Q")
    counted = element_count(fastest_first, name)
    dtype, size = _typed(code, counted, fastest_first[0] if fastest_first else 1, name)
    return _Entry(TensorEntry(name, dtype, fastest_first[::-1], counted, size), offset)


def _typed(code: int, counted: int, fastest: int, name: str) -> tuple[str, int | None]:
    try:
        known = GGMLQuantizationType(code)
    except ValueError:
        return f"ggml_type_{code}", None
    block, size = GGML_QUANT_SIZES[known]
    if fastest % block:
        raise HeaderBroken(f"tensor {name[:80]!r} of {known.name} has rows of {fastest:,} elements")
    return known.name, counted // block * size


def _alignment(metadata: dict[str, Any]) -> int:
    alignment = metadata.get("general.alignment", DEFAULT_ALIGNMENT)
    if not isinstance(alignment, int) or alignment < 1:
        raise HeaderBroken("has no sane general.alignment")
    return alignment


def _check_offsets(entries: list[_Entry], alignment: int) -> None:
    inside = sorted(entries, key=lambda entry: (entry.offset, entry.tensor.byte_count or 0))
    if any(entry.offset % alignment for entry in inside):
        raise HeaderBroken(f"has a tensor that does not begin at a multiple of {alignment}")
    for before, after in pairwise(inside):
        if before.offset + (before.tensor.byte_count or 0) > after.offset:
            raise HeaderBroken(f"tensor {after.tensor.tensor_name[:80]!r} overlaps another")
