"""Raw files that are not loaded yet, into the landing tables.

What was landed stays, so a raw file that is lost or damaged later takes nothing out of the
warehouse. Of what replaces something the newest stays, whichever was loaded first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb

from warehouse.landing_tables import create_landing, insert
from warehouse.raw import raw_names
from warehouse.workers import Landed, landed, landed_by_many

BATCH_FILES = 48
BATCH_BYTES = 3 * 10**6  # of raw files: tens of megabytes of rows
BATCHES_A_COMMIT = 48
CHECKPOINT = "256 MB"
WORTH_PROCESSES = 64  # raw files; to start a process takes a second

Report = Callable[[str, int, int | None], None]


def load_raw_files(db: duckdb.DuckDBPyConnection, home: Path, *, report: Report) -> int:
    """Load every raw file that is not loaded yet; returns how many were.

    A file that cannot be read to its end becomes a row of ``landing.rejected`` and is tried
    again at the next build. ``temp.fresh`` names the files that were loaded.
    """
    create_landing(db)
    db.execute("create or replace temp table fresh (name varchar)")
    loaded = {row[0] for row in db.execute("select name from landing.raw_file").fetchall()}
    names = [name for name in raw_names(home) if name not in loaded]
    batches = list(_batches(home, names))
    many = len(names) >= WORTH_PROCESSES
    unpacked = landed_by_many(home, batches) if many else (landed(home, one) for one in batches)
    # Few transactions: each leaves row groups half full, which are written again by the next, but
    # one for all would be held in memory. The file under construction need not survive a crash.
    db.execute(f"set checkpoint_threshold = '{CHECKPOINT}'")
    db.begin()
    done = 0
    for number, (batch, rows) in enumerate(zip(batches, unpacked, strict=True), 1):
        report("loading raw files", done, len(names))
        _insert(db, batch, rows)
        done += len(batch)
        if number % BATCHES_A_COMMIT == 0:
            db.commit()
            db.begin()
    db.commit()
    report("loading raw files", len(names), len(names))
    keep_newest(db)
    return len(names)


def keep_newest(db: duckdb.DuckDBPyConnection) -> None:
    """Drop what a newer answer replaced, and looks that were taken in twice."""
    for statement in (OLDER_RECORDS, OLDER_CARDS, OLDER_PAGES, DOUBLED_LOOKS):
        db.execute(statement)


def _batches(home: Path, names: list[str]) -> Iterator[list[str]]:
    batch, size = [], 0
    for name in names:
        batch.append(name)
        size += (home / "raw" / name).stat().st_size
        if size >= BATCH_BYTES or len(batch) == BATCH_FILES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _insert(db: duckdb.DuckDBPyConnection, names: list[str], landed: Landed) -> None:
    db.execute("delete from landing.rejected where source in (select unnest(?))", [names])
    for table, rows in landed.items():
        db.register("incoming", rows)
        insert(db, table)
        if table == "raw_file":
            db.execute("insert into fresh select name from incoming")
        if table == "record":
            insert(db, "look", {"observed_at": "fetched_at"})
        db.unregister("incoming")


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
