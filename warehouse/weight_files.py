"""Tensor headers as they were stored, into rows: one weight file each, and its tensors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import orjson

from warehouse.gguf import read_gguf_header
from warehouse.masking import Leaks, mask
from warehouse.raw import bytes_of, text_of
from warehouse.safetensors_header import check_safetensors_header, read_safetensors_header
from warehouse.tensor_header import HeaderBroken, WeightHeader

Row = dict[str, Any]


@dataclass
class WeightRows:
    """Each weight file's row with those of its tensors; what was wrong, and what was masked."""

    weight_files: list[tuple[Row, list[Row]]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    leaks: Leaks = field(default_factory=Counter)


def weight_rows(envelope: dict[str, Any]) -> WeightRows:
    """The rows of one envelope of tensor headers; a bad header is a problem, not a row."""
    rows = WeightRows()
    asked = str(envelope.get("path"))
    try:
        for path, header in _headers(envelope, asked):
            if isinstance(header, HeaderBroken):
                rows.problems.append(f"{path}: {header}")
            else:
                rows.weight_files.append(_masked_rows(path, header, rows.leaks))
    except HeaderBroken as broken:
        rows.problems.append(f"{asked}: {broken}")
    return rows


def _headers(
    envelope: dict[str, Any], path: str
) -> Iterator[tuple[str, WeightHeader | HeaderBroken]]:
    kind = envelope.get("kind")
    if kind == "gguf":
        yield path, read_gguf_header(bytes_of(envelope))
    elif kind == "safetensors":
        yield path, read_safetensors_header(text_of(envelope))
    elif kind == "safetensors-index":
        yield from _sharded(text_of(envelope), PurePosixPath(path).parent)
    else:
        raise HeaderBroken(f"header is of the unknown kind {str(kind)[:40]!r}")


def _sharded(text: str, folder: PurePosixPath) -> Iterator[tuple[str, WeightHeader | HeaderBroken]]:
    try:
        answer = orjson.loads(text)
    except orjson.JSONDecodeError as broken:
        raise HeaderBroken(f"index is not JSON: {broken}") from broken
    headers = answer.get("headers") if isinstance(answer, dict) else None
    if not isinstance(headers, dict):
        raise HeaderBroken("index comes without headers")
    for shard, header in headers.items():
        try:
            yield str(folder / shard), check_safetensors_header(header)
        except HeaderBroken as broken:
            yield str(folder / shard), broken


def _masked_rows(path: str, header: WeightHeader, leaks: Leaks) -> tuple[Row, list[Row]]:
    names = _masked_json([tensor.tensor_name for tensor in header.tensors], leaks)
    weight_file = {
        "path": path,
        "format": header.format,
        "tensor_count": len(header.tensors),
        "parameter_count": header.parameter_count,
        "header_byte_count": header.header_byte_count,
        "metadata": _masked_json(header.metadata, leaks).decode(),
    }
    tensors = [
        {**vars(tensor), "tensor_name": name}
        for tensor, name in zip(header.tensors, orjson.loads(names), strict=True)
    ]
    return weight_file, tensors


def _masked_json(value: Any, leaks: Leaks) -> bytes:
    try:
        text, found = mask(orjson.dumps(value).decode())
    except TypeError as broken:
        raise HeaderBroken(f"header cannot be kept: {broken}") from broken
    leaks.update(found)
    return text.encode()
