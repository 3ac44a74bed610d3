"""Raw files that are not loaded yet, into the landing tables.

What was landed stays, so a raw file that is lost or damaged later takes nothing out of the
warehouse.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb

from warehouse.landing_tables import Row, create_landing, insert
from warehouse.raw import RawFile, RawFileUnreadable, raw_names, read_raw_file
from warehouse.unpacking import unpack

FILES_AT_ONCE = 64
REMEDY = "restore it from a copy, or crawl into a new home"
OLDER_RECORDS = """
delete from landing.record where rowid in (
    select rowid
    from landing.record
    where repo_id is not null
    qualify row_number() over (
        partition by repo_id, hub_id order by fetched_at desc, raw_file desc, position desc
    ) > 1
)
"""

Report = Callable[[str, int, int | None], None]


def load_raw_files(db: duckdb.DuckDBPyConnection, home: Path, *, report: Report) -> int:
    """Load every raw file that is not loaded yet; returns how many were.

    A file that cannot be read to its end becomes a row of ``landing.rejected`` and is tried
    again at the next build.
    """
    create_landing(db)
    loaded = {row[0] for row in db.execute("select name from landing.raw_file").fetchall()}
    fresh = [name for name in raw_names(home) if name not in loaded]
    for start in range(0, len(fresh), FILES_AT_ONCE):
        report("loading raw files", start, len(fresh))
        _load(db, home, fresh[start : start + FILES_AT_ONCE])
    report("loading raw files", len(fresh), len(fresh))
    return len(fresh)


def keep_looks(db: duckdb.DuckDBPyConnection) -> None:
    """Add ``look``, the moving parts of new records, to the looks; drop records that are not new.

    Which record stays does not depend on the order of loading.
    """
    db.execute("insert into landing.look by name select * from look")
    db.execute(OLDER_RECORDS)


def _load(db: duckdb.DuckDBPyConnection, home: Path, names: list[str]) -> None:
    files: list[RawFile] = []
    rejected: list[Row] = []
    for name in names:
        db.execute("delete from landing.rejected where source = ?", [name])
        try:
            files.append(read_raw_file(home, name))
        except RawFileUnreadable as broken:
            reason = f"raw file is {broken}; {REMEDY}"
            rejected.append({"source": name, "key": None, "stage": "raw", "reason": reason})
    db.begin()  # one write for all: the file under construction need not survive a crash
    for file in files:
        for table, rows in unpack(file).items():
            insert(db, table, rows)
    insert(db, "rejected", rejected)
    insert(db, "raw_file", map(_raw_file_row, files))
    db.commit()


def _raw_file_row(file: RawFile) -> Row:
    return {
        "name": file.name,
        "facet": file.facet,
        "byte_count": file.byte_count,
        "envelope_count": len(file.envelopes),
    }
