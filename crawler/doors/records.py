"""Records from a file of lines: ``.jsonl`` or ``.jsonl.zst``, API records or a recording."""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import orjson
import zstandard

from crawler.doors import DoorRefused

# Few enough that even the densest Zstandard blocks (4 bytes for 128 KiB) unpack to 128 MiB.
PACKED_BYTES = 4096
PLAIN_BYTES = 2**18
MAX_LINE_BYTES = 64 * 2**20
BLANK = re.compile(r"[ \t\r\n]*")


class Missing(enum.Enum):
    """What a line says of a card when it says nothing."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING


@dataclass(frozen=True)
class Line:
    """One line of a file of records.

    Attributes
    ----------
    number
        From 1, blank lines counted.
    record
        JSON text, always: the record as it stands in the file; of a line that is no JSON, the
        line as a JSON string. So ``"[" + ",".join(records) + "]"`` is a page that parses whole,
        whatever came, and the line lands in it as a record that is not an object.
    card
        README text; None where the line says that there is none; `MISSING` where it is silent.
    refusal
        Why the line is no record; None where it is one.
    """

    number: int
    record: str
    card: str | Missing | None
    refusal: str | None = None


def records(path: Path) -> Iterator[Line]:
    """Read records one by one, memory flat; blank lines are passed over.

    A line is an API record, or ``{"model": <API record>, "card": <text or null>}``; its other
    keys are left alone.

    Raises
    ------
    DoorRefused
        Another suffix, unreadable, a line of more than 64 MiB, or a Zstandard file without its
        end: then after the whole lines before the damage.
    """
    for number, line in enumerate(_lines(path), 1):
        text = line.removeprefix(b"\xef\xbb\xbf").strip() if number == 1 else line.strip()
        if text:
            yield _line(number, text)


def _line(number: int, content: bytes) -> Line:
    try:
        stored = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        return _refused(number, content, f"not JSON ({error})")
    if not isinstance(stored, dict):
        return _refused(number, content, "not an object")
    if isinstance(stored.get("model"), dict):
        return _wrapped(number, content, stored.get("card", MISSING))
    if "model" in stored and "id" not in stored:
        return _refused(number, content, "its model is not an object")
    return Line(number, content.decode(), MISSING)


def _wrapped(number: int, content: bytes, card: Any) -> Line:
    text = content.decode()
    try:
        record = text[slice(*_members(text)["model"])]
    except (RecursionError, ValueError) as error:  # nesting, numbers of thousands of digits
        return _refused(number, content, f"not to be read ({error})")
    if card is None or card is MISSING or isinstance(card, str):
        return Line(number, record, card)
    return Line(number, record, MISSING, "its card is neither text nor null")


def _refused(number: int, content: bytes, reason: str) -> Line:
    text = content.decode("utf-8", "backslashreplace")
    return Line(number, orjson.dumps(text).decode(), MISSING, reason)


def _members(text: str) -> dict[str, tuple[int, int]]:
    """Where the value of each key of an object lies in its text, which is known to be JSON."""
    decoder, spans, at = json.JSONDecoder(), {}, _past(text, 1)
    while text[at] != "}":
        key, at = decoder.raw_decode(text, at)
        start = _past(text, _past(text, at) + 1)  # over the colon
        _, stop = decoder.raw_decode(text, start)
        spans[key] = start, stop
        at = _past(text, stop)
        at = _past(text, at + 1) if text[at] == "," else at
    return spans


def _past(text: str, at: int) -> int:
    blank: Any = BLANK.match(text, at)
    end: int = blank.end()
    return end


def _lines(path: Path) -> Iterator[bytes]:
    if not path.name.endswith((".jsonl", ".jsonl.zst")):
        raise DoorRefused(f"{path} is neither .jsonl nor .jsonl.zst; records come one a line")
    try:
        with path.open("rb") as file:
            yield from _split(path, _unpacked(file) if path.suffix == ".zst" else _plain(file))
    except OSError as error:
        raise DoorRefused(f"{path} cannot be read: {error.strerror or error}") from error
    except zstandard.ZstdError as error:
        raise DoorRefused(f"{path} is no whole Zstandard file: {error}") from error


def _plain(file: BinaryIO) -> Iterator[bytes]:
    while part := file.read(PLAIN_BYTES):
        yield part


def _unpacked(file: BinaryIO) -> Iterator[bytes]:
    # Not by a stream reader: that takes a missing end for the end.
    frame = zstandard.ZstdDecompressor().decompressobj()
    begun = False
    while packed := file.read(PACKED_BYTES):
        while packed:
            yield frame.decompress(packed)
            packed, begun = frame.unused_data, not frame.eof
            if frame.eof:
                frame = zstandard.ZstdDecompressor().decompressobj()
    if begun or file.tell() == 0:
        raise zstandard.ZstdError("its end is missing")


def _split(path: Path, parts: Iterator[bytes]) -> Iterator[bytes]:
    held: list[bytes] = []  # joined once a line is whole, so that a long line costs no square
    count, size = 0, 0
    for part in parts:
        first, *rest = part.split(b"\n")
        held.append(first)
        size += len(first)
        for piece in rest:
            yield b"".join(held)
            count += 1
            held, size = [piece], len(piece)
        if size > MAX_LINE_BYTES:
            raise DoorRefused(f"{path}: line {count + 1} is too long; is it one record a line?")
    if size:
        yield b"".join(held)
