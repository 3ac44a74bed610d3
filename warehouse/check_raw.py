"""Whether the raw files are those that a warehouse was built from, and whole."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import duckdb

from warehouse.finding import BEHIND, BROKEN, FROM_SCRATCH, GOOD, Finding, some
from warehouse.landing import Report
from warehouse.raw import RawFile, RawFileUnreadable, bytes_of, raw_names, read_raw_file


def check_raw(db: duckdb.DuckDBPyConnection, home: Path) -> Iterator[Finding]:
    """Compare the raw files on the disk with those that were loaded, by name and size."""
    there = set(raw_names(home))
    loaded = dict(db.execute("select name, byte_count from landing.raw_file").fetchall())
    refused = dict(db.execute(REFUSED).fetchall())
    for name in sorted(refused.keys() & there):
        yield Finding("raw files", BROKEN, f"{name}: {refused[name]}")
    if lost := sorted(loaded.keys() - there):
        told = f"loaded and missing now: {some(len(lost), lost)}; restore them from a copy"
        yield Finding("raw files", BROKEN, told)
    kept = sorted(loaded.keys() & there)
    other = [name for name in kept if (home / "raw" / name).stat().st_size != loaded[name]]
    if other:
        told = f"not what was loaded: {some(len(other), other)}; {FROM_SCRATCH}"
        yield Finding("raw files", BROKEN, told)
    if new := sorted(there - loaded.keys() - refused.keys()):
        told = f"not loaded yet: {some(len(new), new)}; run: hubatlas build"
        yield Finding("raw files", BEHIND, told)
    yield Finding("raw files", GOOD, f"{len(kept) - len(other):,} are as they were loaded")


def check_contents(home: Path, report: Report) -> Iterator[Finding]:
    """Read every raw file to its end, and compare each body with its checksum."""
    names = raw_names(home)
    good = 0
    for done, name in enumerate(names):
        report("reading raw files", done, len(names))
        try:
            fault = _fault(read_raw_file(home, name))
        except RawFileUnreadable as unreadable:
            fault = str(unreadable)
        good += fault is None
        if fault is not None:
            yield Finding("raw contents", BROKEN, f"{name}: {fault}; restore it from a copy")
    report("reading raw files", len(names), len(names))
    yield Finding("raw contents", GOOD, f"{good:,} raw files are whole, bodies as they came")


def _fault(file: RawFile) -> str | None:
    for position, envelope in enumerate(file.envelopes):
        if not isinstance(envelope, dict) or not {"body", "body_base64"} & envelope.keys():
            continue  # a reject, which is no damage of the file
        told, body = envelope.get("body_sha256"), bytes_of(envelope)
        if told is None or not body or envelope.get("withheld") or file.facet in SHORTENED:
            continue
        if hashlib.sha256(body).hexdigest() != told:
            return f"envelope {position} has not the body that came"
    return None


# Of an answer from which something was taken out, the checksum is that of the whole.
SHORTENED = {"tensors", "sample"}
# A file that could not be read is refused whole: its reject has no key.
REFUSED = "select source, reason from landing.rejected where stage = 'raw' and key is null"
