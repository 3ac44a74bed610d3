"""Raw files that are not loaded yet, into the landing tables.

What was landed stays, so a raw file that is lost or damaged later takes nothing out of the
warehouse. Of what replaces something the newest stays, whichever was loaded first.
"""

from __future__ import annotations

import os
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import duckdb
import pyarrow as pa

from warehouse.landing_tables import Row, as_arrow, create_landing, insert
from warehouse.raw import RawFile, RawFileUnreadable, raw_names, read_raw_file
from warehouse.unpacking import unpack

FILES_AT_ONCE = 16
FILES_AHEAD = 4  # batches that are unpacked and wait to be inserted
WORTH_A_POOL = 64  # raw files; starting processes takes a second
REMEDY = "restore it from a copy, or crawl into a new home"

Report = Callable[[str, int, int | None], None]
Landed = dict[str, bytes]


def load_raw_files(db: duckdb.DuckDBPyConnection, home: Path, *, report: Report) -> int:
    """Load every raw file that is not loaded yet; returns how many were.

    A file that cannot be read to its end becomes a row of ``landing.rejected`` and is tried
    again at the next build. ``temp.fresh`` names the files that were loaded.
    """
    create_landing(db)
    db.execute("create or replace temp table fresh (name varchar)")
    loaded = {row[0] for row in db.execute("select name from landing.raw_file").fetchall()}
    names = [name for name in raw_names(home) if name not in loaded]
    done = 0
    for batch, landed in _unpacked(home, names):
        report("loading raw files", done, len(names))
        _insert(db, batch, landed)
        done += len(batch)
    report("loading raw files", done, len(names))
    keep_newest(db)
    return len(names)


def keep_newest(db: duckdb.DuckDBPyConnection) -> None:
    """Drop what a newer answer replaced, and looks that were taken in twice."""
    for statement in (OLDER_RECORDS, OLDER_CARDS, OLDER_PAGES, DOUBLED_LOOKS):
        db.execute(statement)


def _unpacked(home: Path, names: list[str]) -> Iterator[tuple[list[str], Landed]]:
    """Batches of files, in order, each unpacked: by several processes where there are many."""
    batches = [names[at : at + FILES_AT_ONCE] for at in range(0, len(names), FILES_AT_ONCE)]
    if len(names) < WORTH_A_POOL:
        for batch in batches:
            yield batch, landed(home, batch)
        return
    with _workers() as pool:
        under_way: deque[tuple[list[str], Future[Landed]]] = deque()
        for batch in batches:
            under_way.append((batch, pool.submit(landed, home, batch)))
            if len(under_way) > FILES_AHEAD:
                yield _finished(under_way)
        while under_way:
            yield _finished(under_way)


def _finished(under_way: deque[tuple[list[str], Future[Landed]]]) -> tuple[list[str], Landed]:
    batch, coming = under_way.popleft()
    return batch, coming.result()


@contextmanager
def _workers() -> Iterator[ProcessPoolExecutor]:
    # Not fork: DuckDB's threads would not survive it.
    pool = ProcessPoolExecutor(len(os.sched_getaffinity(0)), mp_context=get_context("spawn"))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def landed(home: Path, names: Iterable[str]) -> Landed:
    """What raw files land as: for each landing table its rows, as an Arrow stream."""
    rows: dict[str, list[Row]] = defaultdict(list)
    for name in names:
        try:
            file = read_raw_file(home, name)
        except RawFileUnreadable as broken:
            reason = f"raw file is {broken}; {REMEDY}"
            refused = {"source": name, "key": None, "stage": "raw", "reason": reason}
            rows["rejected"].append(refused)
            continue
        rows["raw_file"].append(_raw_file_row(file))
        for table, found in unpack(file).items():
            rows[table] += found
    return {table: _stream(as_arrow(table, found)) for table, found in rows.items() if found}


def _stream(rows: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows)
    return bytes(sink.getvalue())


def _insert(db: duckdb.DuckDBPyConnection, names: list[str], landed: Landed) -> None:
    db.begin()  # one write for all: the file under construction need not survive a crash
    db.execute("delete from landing.rejected where source in (select unnest(?))", [names])
    for table, stream in landed.items():
        rows = pa.ipc.open_stream(stream).read_all()
        insert(db, table, rows)
        if table == "raw_file":
            db.executemany("insert into fresh values (?)", [[n] for n in rows["name"].to_pylist()])
        if table == "record":
            db.execute(LOOKS, [rows["raw_file"].unique().to_pylist()])
    db.commit()


def _raw_file_row(file: RawFile) -> Row:
    return {
        "name": file.name,
        "facet": file.facet,
        "byte_count": file.byte_count,
        "envelope_count": len(file.envelopes),
    }


LOOKS = """
insert into landing.look by name
select
    raw_file, position, sweep_id, fetched_at as observed_at, repo_id, hub_id, commit_sha,
    last_modified_at, downloads_30d, downloads_all_time, likes_count, trending_score, gated,
    is_private, is_disabled, license, base_models
from landing.record
where raw_file in (select unnest(?))
"""
# Only keys that are there twice are ordered: to order millions that are not takes long.
OLDER_RECORDS = """
delete from landing.record where rowid in (
    select rowid
    from landing.record
    where (repo_id, hub_id) in (
        select (repo_id, hub_id) from landing.record group by repo_id, hub_id having count(*) > 1
    )
    qualify row_number() over (
        partition by repo_id, hub_id order by fetched_at desc, raw_file desc, position desc
    ) > 1
)
"""
OLDER_CARDS = """
delete from landing.card where rowid in (
    select rowid
    from landing.card
    where repo_id in (select repo_id from landing.card group by repo_id having count(*) > 1)
    qualify row_number() over (
        partition by repo_id order by fetched_at desc, raw_file desc, position desc
    ) > 1
)
"""
# Pages of one answer stand together; of a probe, too, only the newest counts.
OLDER_PAGES = """
delete from landing.facet_page where rowid in (
    select rowid
    from landing.facet_page
    where (facet, repo_id) in (
        select (facet, repo_id)
        from landing.facet_page
        group by facet, repo_id
        having count(distinct raw_file) > 1
    )
    qualify raw_file <> first_value(raw_file) over (
        partition by facet, repo_id
        order by coalesce(page, 0) > 0, fetched_at desc, raw_file desc, position desc
    )
)
"""
DOUBLED_LOOKS = """
delete from landing.look where rowid in (
    with fresh_time as (
        select distinct observed_at from landing.look where raw_file in (select name from fresh)
    ),
    candidate as (
        select rowid as row, repo_id, observed_at, raw_file, position
        from landing.look
        where observed_at in (select observed_at from fresh_time)
    )
    select row
    from candidate
    where (repo_id, observed_at) in (
        select (repo_id, observed_at) from candidate group by repo_id, observed_at
        having count(*) > 1
    )
    qualify row_number() over (
        partition by repo_id, observed_at order by raw_file desc, position desc
    ) > 1
)
"""
