"""Raw files that are not loaded yet, into the landing tables: records and cards as they came.

Landing tables are only ever added to, so a raw file that is lost or damaged later takes
nothing out of the warehouse.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pyarrow as pa

from warehouse.front_matter import FrontMatterBroken, read_front_matter, split_card
from warehouse.raw import (
    RawFile,
    RawFileUnreadable,
    page_records,
    raw_names,
    read_raw_file,
    text_of,
)

SCHEMA = """
create schema if not exists landing;
create table if not exists landing.raw_file (
  name varchar primary key, facet varchar, byte_count bigint, envelope_count bigint);
create table if not exists landing.record (
  raw_file varchar, position bigint, sweep_id bigint, fetched_at timestamp, record json);
create table if not exists landing.card (
  raw_file varchar, repo_id varchar, revision varchar, repo_commit varchar, status integer,
  error_code varchar, fetched_at timestamp, text varchar, front_matter json);
create table if not exists landing.facet_page (
  raw_file varchar, facet varchar, repo_id varchar, revision varchar, repo_commit varchar,
  page bigint, status integer, error_code varchar, fetched_at timestamp, answer json);
create table if not exists landing.rejected (
  source varchar, key varchar, stage varchar, reason varchar);
"""
FILES_AT_ONCE = 64
REMEDY = "restore it from a copy, or crawl into a new home"

Report = Callable[[str, int, int | None], None]
Row = dict[str, Any]


def load_raw_files(db: duckdb.DuckDBPyConnection, home: Path, *, report: Report) -> int:
    """Load every raw file that is not loaded yet; returns how many were.

    A file that cannot be read to its end becomes a row of ``landing.rejected`` and is tried
    again at the next build.
    """
    db.execute(SCHEMA)
    loaded = {row[0] for row in db.execute("select name from landing.raw_file").fetchall()}
    fresh = [name for name in raw_names(home) if name not in loaded]
    for start in range(0, len(fresh), FILES_AT_ONCE):
        report("loading raw files", start, len(fresh))
        _load(db, home, fresh[start : start + FILES_AT_ONCE])
    report("loading raw files", len(fresh), len(fresh))
    return len(fresh)


def _load(db: duckdb.DuckDBPyConnection, home: Path, names: list[str]) -> None:
    files, rejected = [], []
    for name in names:
        db.execute("delete from landing.rejected where source = ?", [name])
        try:
            files.append(read_raw_file(home, name))
        except RawFileUnreadable as broken:
            rejected.append(_refuse(name, None, "raw", f"raw file is {broken}; {REMEDY}"))
    for file in files:
        take = {"model": _land_pages, "card": _land_cards}.get(file.facet, _land_facet_pages)
        rejected += take(db, file)
    _insert(db, "rejected", rejected, REJECTED)
    _insert(db, "raw_file", map(_raw_file_row, files), RAW_FILE)


def _land_pages(db: duckdb.DuckDBPyConnection, file: RawFile) -> list[Row]:
    rows: list[Row] = []
    rejected: list[Row] = []
    for envelope in file.envelopes:
        records, broken = _records(text_of(envelope))
        rejected += [_refuse(file.name, str(at), "parse", "record is not JSON") for at in broken]
        common = {key: envelope.get(key) for key in ("sweep_id", "fetched_at")}
        rows += [
            {"raw_file": file.name, "position": at, "record": record, **common}
            for at, record in records
        ]
    _insert(db, "record", rows, RECORD)
    return rejected


def _records(page: str) -> tuple[list[tuple[int, str]], list[int]]:
    try:
        parts = [orjson.dumps(record).decode() for record in orjson.loads(page)]
        return list(enumerate(parts)), []
    except (orjson.JSONDecodeError, TypeError, UnicodeEncodeError):
        parts = list(page_records(page))
    readable = [_is_json(part) for part in parts]
    good = [(at, part) for at, part in enumerate(parts) if readable[at]]
    return good, [at for at, ok in enumerate(readable) if not ok]


def _land_cards(db: duckdb.DuckDBPyConnection, file: RawFile) -> list[Row]:
    rows: list[Row] = []
    rejected: list[Row] = []
    for envelope in file.envelopes:
        text = text_of(envelope) if envelope["status"] == 200 else None
        front_matter, problems = _front_matter(text)
        rejected += [_refuse(file.name, envelope["repo_id"], "front_matter", p) for p in problems]
        rows.append({"raw_file": file.name, "text": text, "front_matter": front_matter, **envelope})
    _insert(db, "card", rows, CARD)
    return rejected


def _land_facet_pages(db: duckdb.DuckDBPyConnection, file: RawFile) -> list[Row]:
    rows: list[Row] = []
    rejected: list[Row] = []
    for envelope in file.envelopes:
        text = text_of(envelope) if envelope["status"] == 200 else None
        readable = text is None or _is_json(text)
        if not readable:
            reason = f"answer for {file.facet} is not JSON"
            rejected.append(_refuse(file.name, envelope["repo_id"], "parse", reason))
        rows.append({"raw_file": file.name, "answer": text if readable else None, **envelope})
    _insert(db, "facet_page", rows, FACET_PAGE)
    return rejected


def _front_matter(text: str | None) -> tuple[str | None, list[str]]:
    source = split_card(text)[0] if text else None
    if source is None:
        return None, []
    try:
        mapping, duplicates = read_front_matter(source)
    except FrontMatterBroken as broken:
        return None, [str(broken)]
    told = [
        f"duplicate key {key[:80]!r} in front matter: the last one counts" for key in duplicates
    ]
    return orjson.dumps(mapping).decode(), told


def _is_json(part: str) -> bool:
    try:
        orjson.loads(part)
    except orjson.JSONDecodeError:
        return False
    return True


def _refuse(source: str, key: str | None, stage: str, reason: str) -> Row:
    return {"source": source, "key": key, "stage": stage, "reason": reason}


def _raw_file_row(file: RawFile) -> Row:
    return {
        "name": file.name,
        "facet": file.facet,
        "byte_count": file.byte_count,
        "envelope_count": len(file.envelopes),
    }


def _fields(text: str = "", integer: str = "") -> pa.Schema:
    columns = [(name, pa.string()) for name in text.split()]
    return pa.schema(columns + [(name, pa.int64()) for name in integer.split()])


RECORD = _fields("raw_file fetched_at record", "position sweep_id")
CARD = _fields(
    "raw_file repo_id revision repo_commit error_code fetched_at text front_matter", "status"
)
FACET_PAGE = _fields(
    "raw_file facet repo_id revision repo_commit error_code fetched_at answer", "page status"
)
REJECTED = _fields("source key stage reason")
RAW_FILE = _fields("name facet", "byte_count envelope_count")


def _insert(
    db: duckdb.DuckDBPyConnection, table: str, rows: Iterable[Row], schema: pa.Schema
) -> None:
    arrow = pa.Table.from_pylist(list(rows), schema=schema)
    db.register("incoming", arrow)
    db.execute(f"insert into landing.{table} by name select * from incoming")  # noqa: S608
    db.unregister("incoming")
