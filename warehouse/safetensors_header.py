"""The JSON header of a safetensors file, checked as the format's own reader checks it.

Source: https://github.com/huggingface/safetensors, README and ``Metadata::validate``.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from warehouse.tensor_header import HeaderBroken, TensorEntry, WeightHeader, element_count

BITS = {
    **dict.fromkeys(("F64", "I64", "U64", "C64"), 64),
    **dict.fromkeys(("F32", "I32", "U32"), 32),
    **dict.fromkeys(("F16", "BF16", "I16", "U16"), 16),
    **dict.fromkeys(("I8", "U8", "BOOL", "F8_E4M3", "F8_E5M2", "F8_E8M0"), 8),
    **dict.fromkeys(("F8_E4M3FNUZ", "F8_E5M2FNUZ"), 8),
    **dict.fromkeys(("F6_E2M3", "F6_E3M2"), 6),
    "F4": 4,
}


def read_safetensors_header(text: str) -> WeightHeader:
    """Read a header's JSON text; raises `HeaderBroken`."""
    try:
        header = json.loads(text, object_pairs_hook=_without_doubles, parse_constant=_no_number)
    except (ValueError, RecursionError) as broken:
        raise HeaderBroken(f"header is not JSON: {str(broken)[:120]}") from broken
    return check_safetensors_header(header, byte_count=len(text.encode()))


def check_safetensors_header(header: object, *, byte_count: int | None = None) -> WeightHeader:
    """Check a header that is parsed already.

    Raises `HeaderBroken` unless offsets begin at 0 and follow one another without gap or overlap,
    and each tensor has the bytes that its shape and dtype ask for.
    """
    if not isinstance(header, dict):
        raise HeaderBroken("header is no object")
    metadata = header.get("__metadata__", {})
    if not isinstance(metadata, dict):
        raise HeaderBroken("__metadata__ is no object")
    named = [(name, entry) for name, entry in header.items() if name != "__metadata__"]
    spans = sorted(
        ((_offsets(name, entry), name, entry) for name, entry in named), key=lambda span: span[:2]
    )
    tensors, end = [], 0
    for (start, stop), name, entry in spans:
        tensor = _tensor(name, entry)
        if start != end or stop - start != tensor.byte_count:
            raise HeaderBroken(f"tensor {name[:80]!r} has the wrong offsets")
        tensors.append(tensor)
        end = stop
    return WeightHeader("safetensors", tensors, metadata, byte_count)


def _offsets(name: str, entry: object) -> tuple[int, int]:
    found = _counts(entry.get("data_offsets")) if isinstance(entry, dict) else None
    if found is None or len(found) != 2:
        raise HeaderBroken(f"tensor {name[:80]!r} has no data_offsets")
    return found[0], found[1]


def _tensor(name: str, entry: dict[str, Any]) -> TensorEntry:
    dtype, shape = entry.get("dtype"), _counts(entry.get("shape"))
    if not isinstance(dtype, str) or dtype not in BITS:
        raise HeaderBroken(f"tensor {name[:80]!r} is of the unknown type {str(dtype)[:20]!r}")
    if shape is None:
        raise HeaderBroken(f"tensor {name[:80]!r} has no shape")
    counted = element_count(shape, name)
    bits = counted * BITS[dtype]
    if bits % 8:
        raise HeaderBroken(f"tensor {name[:80]!r} does not end at a byte")
    return TensorEntry(name, dtype, shape, counted, bits // 8)


def _counts(found: object) -> list[int] | None:
    # A bool is an int to Python, not to the format.
    if not isinstance(found, list) or not all(type(n) is int and n >= 0 for n in found):
        return None
    return found


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        ((twice, _),) = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"{twice[:80]!r} is there twice")
    return mapping


def _no_number(constant: str) -> None:
    raise ValueError(f"{constant} is no number")
