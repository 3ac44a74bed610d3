"""Contents that no client should swallow whole."""

from __future__ import annotations

import struct
import zlib
from collections.abc import AsyncIterator
from functools import cache

BOMB_CHUNK_BYTES = 2**20
BOMB_CHUNKS = 1025  # a MiB more than one GiB
HEADER_BYTES = 25 * 2**20
GZIP_START = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"


async def gzip_bomb() -> AsyncIterator[bytes]:
    """About 1 MB of gzip, chunk by chunk, that grows to `BOMB_CHUNKS` MiB of zeros."""
    zeros = bytes(BOMB_CHUNK_BYTES)
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    # After a full flush the same input gives the same bytes, so one chunk is made and repeated.
    packed = deflate.compress(zeros) + deflate.flush(zlib.Z_FULL_FLUSH)
    checksum = 0
    yield GZIP_START
    for _ in range(BOMB_CHUNKS):
        checksum = zlib.crc32(zeros, checksum)
        yield packed
    size = BOMB_CHUNKS * BOMB_CHUNK_BYTES
    yield deflate.flush() + struct.pack("<II", checksum, size % 2**32)


@cache
def huge_safetensors() -> bytes:
    """A safetensors file of nothing but a JSON header of `HEADER_BYTES`."""
    start, end = b'{"__metadata__":{"padding":"', b'"}}'
    padding = b"x" * (HEADER_BYTES - len(start) - len(end))
    return HEADER_BYTES.to_bytes(8, "little") + start + padding + end
