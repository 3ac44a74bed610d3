"""Tensor headers read at their source: what a weight file says of its tensors, by byte ranges.

A header is a few thousandths of its file. A reader asks for bytes by ``fetch(start, stop)``,
whoever answers: a file on disk, or a hub by HTTP ranges. Everything in a weight file is a
stranger's word, so each length is checked against a bound before it is believed.

Sources: the safetensors README (format), ggml's docs/gguf.md (versions 2 and 3).
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from crawler import CrawlError

Fetch = Callable[[int, int], bytes]

FIRST_SAFETENSORS_BYTES = 100_000
FIRST_GGUF_BYTES = 2**20
MAX_GGUF_BYTES = 64 * 2**20
GGUF_VERSIONS = (2, 3)
# Bytes of a value by its type's number in the file; strings and arrays tell their own length.
GGUF_SCALARS = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
GGUF_STRING, GGUF_ARRAY = 8, 9
MOST_NESTED_ARRAYS = 8


class HeaderRefused(CrawlError):
    """A weight file has no header that can be read; the message says what is wrong with it."""


def header_of(path: str, fetch: Fetch) -> tuple[str, bytes] | None:
    """The header of a weight file, by its name's suffix.

    Parameters
    ----------
    path
        The file's name; ``.safetensors`` and ``.gguf`` have headers, in any case.
    fetch
        Gives the bytes [start, stop) of the file, fewer only where the file ends before stop.

    Returns
    -------
    (kind, header) with kind ``safetensors`` or ``gguf``; None for any other file, unread.

    Raises
    ------
    HeaderRefused
        The message names the path.
    """
    readers = {".safetensors": safetensors_header, ".gguf": gguf_header}
    for suffix, read in readers.items():
        if path.lower().endswith(suffix):
            try:
                return suffix[1:], read(fetch)
            except HeaderRefused as refused:
                raise HeaderRefused(f"{path}: {refused}") from None
    return None


def safetensors_header(fetch: Fetch) -> bytes:
    """The JSON text of a safetensors header as it stands in the file, padding included.

    One range brings most headers, a second one the rest of a longer one. The text lies at
    [8, 8 + length) of the file; it is not parsed here.

    Raises
    ------
    HeaderRefused
        The header is longer than huggingface_hub would read, cut off, or no JSON object.
    """
    # Late, since reading a local file should not wait for the Hub's library.
    from huggingface_hub.constants import SAFETENSORS_MAX_HEADER_LENGTH

    first = _range(fetch, 0, FIRST_SAFETENSORS_BYTES)
    if len(first) < 8:
        raise HeaderRefused("its first 8 bytes, the header's length, are missing")
    length = int.from_bytes(first[:8], "little")
    if length > SAFETENSORS_MAX_HEADER_LENGTH:
        raise HeaderRefused(f"says that its header has {length:,} bytes; is it safetensors?")
    header = first[8 : 8 + length]
    if len(first) == FIRST_SAFETENSORS_BYTES and len(header) < length:
        header += _range(fetch, len(first), 8 + length)
    if len(header) < length:
        raise HeaderRefused(f"ends within its header, after {8 + len(header):,} bytes")
    if not header.startswith(b"{"):
        raise HeaderRefused("its header is no JSON object; is it safetensors?")
    return header


def gguf_header(fetch: Fetch) -> bytes:
    """The bytes of a GGUF file from 0 to the end of its tensor table.

    The bytes held double with each range until the table is whole; each is asked for once.

    Raises
    ------
    HeaderRefused
        Not GGUF 2 or 3 in little-endian order, cut off, malformed, or longer than 64 MiB.
    """
    source = _Growing(fetch)
    if source.take(4) != b"GGUF":
        raise HeaderRefused("does not begin with GGUF")
    version = source.number(4)
    if version not in GGUF_VERSIONS:
        raise HeaderRefused(f"is GGUF of a version that is not read here ({_named(version)})")
    tensor_count, entry_count = source.number(8), source.number(8)
    for _ in range(entry_count):
        source.skip(source.number(8))  # the key
        _skip_value(source, source.number(4))
    for _ in range(tensor_count):
        source.skip(source.number(8))  # the tensor's name
        source.skip(source.number(4) * 8 + 4 + 8)  # its shape, type and offset
    return source.passed


class _Growing:
    """The beginning of a file, which grows as the reader walks into it."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch, self._held, self._at, self._whole = fetch, bytearray(), 0, False

    @property
    def passed(self) -> bytes:
        return bytes(self._held[: self._at])

    def take(self, count: int) -> bytes:
        start = self._at
        self.skip(count)
        return bytes(self._held[start : self._at])

    def number(self, width: int) -> int:
        start = self._at
        self.skip(width)
        found: int = struct.unpack_from("<I" if width == 4 else "<Q", self._held, start)[0]
        return found

    def skip(self, count: int) -> None:
        stop = self._at + count
        if stop > MAX_GGUF_BYTES:
            raise HeaderRefused(f"its header goes on past {MAX_GGUF_BYTES:,} bytes")
        while len(self._held) < stop:
            self._grow()
        self._at = stop

    def _grow(self) -> None:
        start = len(self._held)
        stop = min(max(FIRST_GGUF_BYTES, 2 * start), MAX_GGUF_BYTES)
        part = b"" if self._whole else _range(self._fetch, start, stop)
        self._whole = len(part) < stop - start
        if not part:
            raise HeaderRefused(f"ends within its header, after {start:,} bytes")
        self._held += part


def _skip_value(source: _Growing, kind: int, depth: int = 0) -> None:
    if kind in GGUF_SCALARS:
        source.skip(GGUF_SCALARS[kind])
    elif kind == GGUF_STRING:
        source.skip(source.number(8))
    elif kind == GGUF_ARRAY and depth < MOST_NESTED_ARRAYS:
        _skip_array(source, depth)
    else:
        raise HeaderRefused(f"holds a value of a type that is not read here ({kind})")


def _skip_array(source: _Growing, depth: int) -> None:
    kind, count = source.number(4), source.number(8)
    if kind in GGUF_SCALARS:
        source.skip(GGUF_SCALARS[kind] * count)
        return
    for _ in range(count):  # each member takes bytes, so that the bound ends a made-up count
        _skip_value(source, kind, depth + 1)


def _named(version: int) -> str:
    return "big-endian" if version and not version & 0xFFFF else str(version)


def _range(fetch: Fetch, start: int, stop: int) -> bytes:
    # More than was asked for would shift everything after it.
    return fetch(start, stop)[: stop - start]
