"""Reading raw files: whole ones only, and of each page the records that can be read."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import zstandard

MAX_FILE_BYTES = 2**30
MAX_LINE_BYTES = 96 * 2**20  # a 64 MiB header of weights in base64, and its envelope
PACKED_BYTES = 1024  # at a time: they unpack to 32 MiB at most, whatever they hold


class RawFileUnreadable(Exception):
    """A raw file is truncated or damaged; the message says how."""


@dataclass(frozen=True)
class RawFile:
    """A raw file's name under ``raw/``, its facet, and its envelopes."""

    name: str
    facet: str
    byte_count: int
    envelopes: list[dict[str, Any]]


def raw_names(home: Path) -> list[str]:
    """Names of all raw files of a home, oldest sweep first; parts under way are left out."""
    folder = home / "raw"
    return sorted(
        str(path.relative_to(folder)) for path in folder.rglob("*.jsonl.zst") if path.is_file()
    )


def read_raw_file(home: Path, name: str) -> RawFile:
    """Read one raw file to its end, checksum included; raises `RawFileUnreadable`.

    What would not fit in memory is refused before it is unpacked.
    """
    path = home / "raw" / name
    try:
        envelopes = [orjson.loads(line) for line in _lines(path)]
    except (zstandard.ZstdError, orjson.JSONDecodeError) as broken:
        raise RawFileUnreadable(f"damaged: {broken}") from broken
    return RawFile(name, name.split("/", 1)[0], path.stat().st_size, envelopes)


def _lines(path: Path) -> Iterator[bytes]:
    line, left = bytearray(), MAX_FILE_BYTES
    for piece in _unpacked(path):
        first, *others = piece.split(b"\n")
        line += first
        for other in others:
            if line:
                yield bytes(line)
            line = bytearray(other)
        left -= len(piece)
        if len(line) > MAX_LINE_BYTES:
            raise RawFileUnreadable(f"refused: it has a line of more than {MAX_LINE_BYTES:,} bytes")
        if left < 0:
            raise RawFileUnreadable(f"refused: it holds more than {MAX_FILE_BYTES:,} bytes")
    if line:
        yield bytes(line)


def _unpacked(path: Path) -> Iterator[bytes]:
    # Not a stream reader: that ends in silence where a frame is cut.
    unpacker = zstandard.ZstdDecompressor().decompressobj()
    with path.open("rb") as file:
        while not unpacker.eof and (packed := file.read(PACKED_BYTES)):
            yield unpacker.decompress(packed)
        if unpacker.unused_data or file.read(1):
            raise RawFileUnreadable("damaged: something stands after its zstd frame")
    if not unpacker.eof:
        raise RawFileUnreadable("truncated: its zstd frame has no end")


def text_of(envelope: dict[str, Any]) -> str:
    """An answer's text; bytes that are not UTF-8 become U+FFFD, raw keeps them as they were."""
    if "body_base64" in envelope:
        return bytes_of(envelope).decode("utf-8", "replace")
    return str(envelope["body"])


def bytes_of(envelope: dict[str, Any]) -> bytes:
    """An answer's bytes, as they came."""
    if "body_base64" in envelope:
        return base64.b64decode(envelope["body_base64"])
    return str(envelope["body"]).encode("utf-8")


def page_records(page: str) -> Iterator[str]:
    """Each record of a listing page as its own JSON text, as far as brackets can be matched.

    Used for pages that do not parse whole; a part may still be no JSON.
    """
    depth, start = 0, 0
    for token in re.finditer(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', page):
        if token[0] in "[{":
            depth += 1
            start = token.start() if depth == 2 else start
        elif token[0] in "]}":
            depth -= 1
            if depth == 1:
                yield page[start : token.end()]
