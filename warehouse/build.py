"""Build the warehouse on a copy and rename it over the published file."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from warehouse import WarehouseError
from warehouse.as_of import create_macros
from warehouse.landing import Report, load_raw_files
from warehouse.raw import raw_names
from warehouse.relations import RELATIONS, make, settle

FILE = "warehouse.duckdb"
MOST_MEMORY = 4 * 10**9  # bytes, for DuckDB; the processes that unpack take half a gigabyte each
NOT_IN_KERNEL = {errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EXDEV}
MOST_LOG = "16 GB"  # of changes that wait for the checkpoint
MOST_DEAD = 0.2  # share of a table's rows that are deleted and still take room
SCHEMA_VERSION = 6
UNWRITABLE = (OSError, duckdb.IOException, duckdb.FatalException, duckdb.TransactionException)
Connection = duckdb.DuckDBPyConnection
Derive = Callable[[Connection, Report], None]


class NothingToBuild(WarehouseError):
    """The home holds no raw files."""


class BuildBusy(WarehouseError):
    """Another build holds this home."""


class BuildFailed(WarehouseError):
    """The new file could not be written: the disk is full, for instance."""


def build(
    home: Path,
    *,
    derive: Derive = lambda db, report: None,
    from_scratch: bool = False,
    report: Report = lambda label, done, total: None,
) -> Path:
    """Load what is new under ``home/raw`` and publish ``home/warehouse.duckdb``.

    Parameters
    ----------
    home
        Folder of the crawl.
    derive
        Adds what analysis makes of the relations, on the same connection.
    from_scratch
        Read all raw files again instead of those not loaded yet.
    report
        Called with (step, done, total or None).

    Returns
    -------
    Path of the published file; readers of the old one keep it until they reopen.

    Raises
    ------
    NothingToBuild, BuildBusy, BuildFailed
        The published file, if any, is untouched; so it is after any other failure.

    """
    if not raw_names(home):
        raise NothingToBuild(f"{home} holds no raw files; run: hubatlas --home {home} crawl")
    published = home / FILE
    source = None if from_scratch else published
    with _published_anew(home, source) as work, duckdb.connect(work) as db:
        _fill(db, home, derive, report)
    return published


def amend(home: Path, change: Callable[[Connection], None]) -> Path:
    """Publish the warehouse as it is, with a change: what a study found, for instance.

    Parameters
    ----------
    change
        Called with a connection to a copy of the published file.

    Returns
    -------
    Path of the published file.

    Raises
    ------
    NothingToBuild, BuildBusy, BuildFailed
        The published file is untouched; so it is after any other failure.
    """
    published = home / FILE
    if not published.exists():
        raise NothingToBuild(f"{home} holds no warehouse; run: hubatlas --home {home} build")
    with _published_anew(home, published) as work, duckdb.connect(work) as db:
        db.execute(f"set timezone = 'UTC'; set memory_limit = '{_memory_mb()} MB'")
        db.execute("set max_vacuum_tasks = 0")
        change(db)
        _write(db)
    return published


def is_current(home: Path) -> bool:
    """Whether a published warehouse of this version has loaded every raw file there is."""
    published = home / FILE
    if not published.exists() or not _same_version(published):
        return False
    with duckdb.connect(published, read_only=True) as db:
        loaded = db.execute("select name from landing.raw_file").fetchall()
    return {name for (name,) in loaded} == set(raw_names(home))


@contextmanager
def _published_anew(home: Path, source: Path | None) -> Iterator[Path]:
    """A copy of a file to work on, or an empty one; published once the work is done."""
    published = home / FILE
    with _locked(home):
        work = home / f"{FILE}.building"
        try:
            _start_from(work, source)
            yield work
            _sync(work)
        except UNWRITABLE as full:
            _discard(work)
            raise BuildFailed(f"{_reason(full)}; the published warehouse is unchanged") from full
        # What another program left there is of the old file, and would keep the new one shut.
        published.with_name(f"{FILE}.wal").unlink(missing_ok=True)
        work.rename(published)


def _fill(db: Connection, home: Path, derive: Derive, report: Report) -> None:
    db.execute(f"set timezone = 'UTC'; set memory_limit = '{_memory_mb()} MB'")
    db.execute("set max_vacuum_tasks = 0")  # see _write
    load_raw_files(db, home, report=report)
    # What is patched in many places is written once, by the checkpoint at the end.
    db.execute(f"set checkpoint_threshold = '{MOST_LOG}'")
    settle(db)
    for done, name in enumerate(RELATIONS):
        report("naming and typing", done, len(RELATIONS))
        make(db, name)
    report("naming and typing", len(RELATIONS), len(RELATIONS))
    derive(db, report)
    create_macros(db)
    db.execute(
        "create or replace table build as select ? as schema_version, now()::timestamp as built_at,"
        " (select max(last_at) from landing.name_seen) as data_as_of",
        [SCHEMA_VERSION],
    )
    _write(db)


def _write(db: Connection) -> None:
    """Bring everything to disk.

    Deleted rows leave room, which DuckDB would close at every checkpoint, at the cost of writing
    whole tables anew; here that waits until it is worth it.
    """
    tables = db.execute(
        "select schema_name || '.' || table_name from duckdb_tables() where not temporary"
    ).fetchall()
    if any(_dead_share(db, name) > MOST_DEAD for (name,) in tables):
        db.execute("reset max_vacuum_tasks")
    db.execute("checkpoint")


def _dead_share(db: Connection, name: str) -> float:
    """The share of a table's rows that are deleted and still stand in the file."""
    held, alive = db.execute(
        f"select (select sum(count) from pragma_storage_info('{name}')"  # noqa: S608
        f" where column_path = '[0]' and segment_type <> 'VALIDITY'), count(*) from {name}"
    ).fetchall()[0]
    return 1 - alive / held if held else 0.0


def _reason(failure: Exception) -> str:
    if isinstance(failure, OSError) and failure.strerror:
        return f"the disk: {failure.strerror}"
    return re.split("[Ee]rror: ", str(failure))[-1].splitlines()[0]


def _memory_mb() -> int:
    # What does not fit is spilled to disk: a laptop has other things to do.
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min(MOST_MEMORY, whole // 2) // 10**6


def _start_from(work: Path, published: Path | None) -> None:
    _discard(work)
    if published and published.exists() and _same_version(published):
        _copy(published, work)


def _copy(source: Path, target: Path) -> None:
    """Copy a file within the kernel: twice as fast, and at once where the disk can share blocks."""
    try:
        _copy_in_kernel(source, target)
    except OSError as refused:
        if refused.errno not in NOT_IN_KERNEL:
            raise
        shutil.copyfile(source, target)


def _copy_in_kernel(source: Path, target: Path) -> None:
    with source.open("rb") as old, target.open("wb") as new:
        left = os.fstat(old.fileno()).st_size
        while left:
            copied = os.copy_file_range(old.fileno(), new.fileno(), left)
            if not copied:
                raise OSError(errno.EINVAL, "the kernel copies nothing")
            left -= copied


def _discard(work: Path) -> None:
    work.unlink(missing_ok=True)
    work.with_name(work.name + ".wal").unlink(missing_ok=True)
    shutil.rmtree(
        work.with_name(work.name + ".tmp"), ignore_errors=True
    )  # what a killed one spilled


def _same_version(published: Path) -> bool:
    # A file of another version, or one that is no warehouse at all, is built anew from raw.
    try:
        with duckdb.connect(published, read_only=True) as db:
            row = db.execute("select schema_version from build").fetchone()
    except duckdb.Error:
        return False
    return row is not None and row[0] == SCHEMA_VERSION


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    folder = home / "state"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "build.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BuildBusy(f"another build is running on {home}; wait for it") from None
        yield


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
