"""Raw files: the Hub's answers, verbatim, each file whole or absent.

A raw file is ``HOME/raw/FACET/….jsonl.zst``: one envelope a line. An envelope holds the
answer's text as a JSON *string* (or base64 where it is not UTF-8), so that hostile JSON
inside cannot break the file around it.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson
import zstandard

from crawler import CrawlError
from crawler.faultpoint import reach

Envelope = dict[str, Any]


class RawFileDamaged(CrawlError):
    """A raw file cannot be read to its end; the message names it."""


def envelope(body: bytes, **provenance: Any) -> Envelope:
    """Wrap one answer: its provenance, then ``body`` (text) or ``body_base64``."""
    try:
        return {**provenance, "body": body.decode("utf-8")}
    except UnicodeDecodeError:
        return {**provenance, "body_base64": base64.b64encode(body).decode("ascii")}


def body_of(wrapped: Envelope) -> bytes:
    """The answer's bytes, as they came."""
    if "body_base64" in wrapped:
        return base64.b64decode(wrapped["body_base64"])
    return str(wrapped["body"]).encode("utf-8")


def write_raw(path: Path, envelopes: Iterable[Envelope]) -> None:
    """Write, fsync, rename: after a crash the file is whole or absent.

    A path that is there already is never written again: raw is sacred.
    """
    if path.exists():
        raise FileExistsError(f"{path} is there already; raw files are never rewritten")
    replace_raw(path, envelopes)


def replace_raw(path: Path, envelopes: Iterable[Envelope]) -> None:
    """As `write_raw`, over a file that is there: for what has to be forgotten, and nothing else."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    reach("raw not yet written")
    with part.open("wb") as sink:
        sink.write(_compressed(b"".join(orjson.dumps(e) + b"\n" for e in envelopes)))
        sink.flush()
        reach("raw written")
        os.fsync(sink.fileno())
    reach("raw synced")
    part.rename(path)
    reach("raw renamed")
    _sync_folder(path.parent)
    reach("raw whole")


def read_raw(path: Path) -> Iterator[Envelope]:
    """Read a raw file back; raises `RawFileDamaged` where it is not whole."""
    try:
        frame = zstandard.ZstdDecompressor().decompressobj()
        content = frame.decompress(path.read_bytes())
        if not frame.eof:
            raise RawFileDamaged(f"raw file {path} is damaged: its end is missing")
        yield from (orjson.loads(line) for line in content.splitlines())
    except (zstandard.ZstdError, orjson.JSONDecodeError) as broken:
        raise RawFileDamaged(f"raw file {path} is damaged: {broken}") from broken


def _compressed(content: bytes) -> bytes:
    # The checksum lets a later reader tell a flipped bit from the Hub's own words.
    return zstandard.ZstdCompressor(level=3, write_checksum=True).compress(content)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
