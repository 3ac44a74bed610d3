"""The bytes of an answer: unpacked, bounded, and exactly those that were asked for."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator, Mapping

MAX_BODY_BYTES = 256 * 2**20
PIECE_BYTES = 2**18


class BodyUnreadable(Exception):
    """The bytes are not what was asked for; the message is one clause."""


def read_body(pieces: Iterable[bytes], encoding: str, *, most_bytes: int) -> bytes:
    """All bytes of an answer, unpacked where it is gzip.

    Bounded before and after unpacking, piece by piece: what unfolds without end is left off early.
    Raises `BodyUnreadable` for other encodings, broken gzip and more than ``most_bytes``.
    """
    kept: list[bytes] = []
    size = 0
    for piece in _unpacked(_counted(pieces, most_bytes), encoding):
        size += len(piece)
        if size > most_bytes:
            raise BodyUnreadable(f"more than {most_bytes:,} bytes")
        kept.append(piece)
    return b"".join(kept)


def read_span(
    pieces: Iterable[bytes], span: tuple[int, int], *, content_range: str, encoding: str
) -> bytes:
    """The bytes of a 206: from ``span[0]`` up to, not with, ``span[1]``.

    Fewer only where the file ends. Raises `BodyUnreadable` where Content-Range says something else
    or the bytes are not as many as it says.
    """
    start, stop = span
    found = re.fullmatch(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)", content_range)
    if found is None or encoding not in {"", "identity"}:
        raise BodyUnreadable(f"no single plain range ({content_range[:80] or 'no Content-Range'})")
    first, last = int(found[1]), int(found[2])
    ends = found[3] != "*" and last + 1 == int(found[3])
    if first != start or last >= stop or (last + 1 < stop and not ends):
        raise BodyUnreadable(f"bytes {first}-{last} where {start}-{stop - 1} were asked for")
    body = read_body(pieces, "", most_bytes=last + 1 - first)
    if len(body) != last + 1 - first:
        raise BodyUnreadable(f"{len(body):,} bytes where Content-Range says {last + 1 - first:,}")
    return body


def cut_span(pieces: Iterable[bytes], span: tuple[int, int], encoding: str) -> bytes:
    """The span out of a whole file, of which no more is read than up to the span's end."""
    start, stop = span
    kept: list[bytes] = []
    size = 0
    for piece in _unpacked(pieces, encoding):
        kept.append(piece[max(start - size, 0) : stop - size])
        size += len(piece)
        if size >= stop:
            break
    if size <= start:
        raise BodyUnreadable(f"the file ends after {size:,} bytes, before byte {start:,}")
    return b"".join(kept)


def content_encoding(headers: Mapping[str, str]) -> str:
    """The Content-Encoding of an answer in lower case; empty without one."""
    return headers.get("content-encoding", "").strip().lower()


def _counted(pieces: Iterable[bytes], most_bytes: int) -> Iterator[bytes]:
    # Packed bytes are counted too: there are streams that unfold to nothing at all.
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > most_bytes + PIECE_BYTES:
            raise BodyUnreadable(f"more than {most_bytes:,} bytes")
        yield piece


def _unpacked(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    if encoding in {"", "identity"}:
        return iter(pieces)
    if encoding in {"gzip", "x-gzip"}:
        return _gunzipped(pieces)
    raise BodyUnreadable(f"encoded as {encoding[:40]}, which was not asked for")


def _gunzipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
    begun = False
    try:
        for packed in pieces:
            piece = packed
            while piece:
                if unpacker.eof:  # a file of several members
                    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
                begun = True
                yield unpacker.decompress(piece, PIECE_BYTES)
                piece = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
        yield unpacker.flush()
    except zlib.error as broken:
        raise BodyUnreadable(f"broken gzip ({broken})") from broken
    if begun and not unpacker.eof:
        raise BodyUnreadable("gzip without its end")
