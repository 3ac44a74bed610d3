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

MAX_FILE_BYTES = 512 * 2**20


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
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.jsonl.zst"))


def read_raw_file(home: Path, name: str) -> RawFile:
    """Read one raw file to its end, checksum included; raises `RawFileUnreadable`."""
    packed = (home / "raw" / name).read_bytes()
    try:
        decompressor = zstandard.ZstdDecompressor().decompressobj()
        content = decompressor.decompress(packed)
        if not decompressor.eof:
            raise RawFileUnreadable("truncated: its zstd frame has no end")
        if len(content) > MAX_FILE_BYTES:
            raise RawFileUnreadable(f"holds {len(content):,} bytes, more than {MAX_FILE_BYTES:,}")
        envelopes = [orjson.loads(line) for line in content.splitlines() if line]
    except (zstandard.ZstdError, orjson.JSONDecodeError) as broken:
        raise RawFileUnreadable(f"damaged: {broken}") from broken
    return RawFile(name, name.split("/", 1)[0], len(packed), envelopes)


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
