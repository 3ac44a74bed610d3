"""The crawl's own memory, ``HOME/state/crawl.sqlite``: runs, sweeps and the queue of facets.

The order is always: write the raw file, then move the state in one transaction. A crash
between the two leaves a raw file that the state does not know; the next run takes it as
fetched instead of fetching it again, so nothing is lost and nothing doubled.
"""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from crawler import CrawlError

SCHEMA = """
create table if not exists hub (name text primary key, first_seen_at text not null);
create table if not exists run (
  run_id integer primary key, endpoint text not null, started_at text not null,
  ended_at text, outcome text, facets text not null,
  listed_count integer not null default 0,  answered_count integer not null default 0);
create table if not exists sweep (
  sweep_id integer primary key, started_at text not null, ended_at text, outcome text,
  model_limit integer, expand text not null, facets text not null, next_path text,
  page_count integer not null default 0, listed_count integer not null default 0,
  fetched integer not null default 0);
create table if not exists sweep_page (
  sweep_id integer not null, path text not null, primary key (sweep_id, path)) without rowid;
create table if not exists facet_queue (
  entry_id integer primary key, facet text not null, repo_id text not null,
  version text not null, revision text not null, popularity integer not null,
  batch_id integer, done integer not null default 0,
  unique (facet, repo_id, version));
create table if not exists facet_batch (
  batch_id integer primary key autoincrement, facet text not null);
create index if not exists facet_queue_open on facet_queue
  (facet, done, batch_id, popularity desc, entry_id);
create index if not exists facet_queue_batch on facet_queue (batch_id, entry_id);
"""

STATE_VERSION = 2
DONE, FAILED = 1, 2
ENDED_WELL = frozenset({"complete", "limited"})


class HomeBusy(CrawlError):
    """Another crawl holds this home."""


class OtherHub(CrawlError):
    """The home already holds records of another hub."""


class StateDamaged(CrawlError):
    """The home's crawl state cannot be read."""


class StateOfOtherVersion(CrawlError):
    """The home's crawl state was written by another version of hubatlas."""


@dataclass
class Sweep:
    """One pass over the whole listing; ``next_path`` is None once it has ended."""

    sweep_id: int
    expand: list[str]
    model_limit: int | None
    next_path: str | None
    page_count: int
    listed_count: int
    outcome: str | None = None


@dataclass(frozen=True)
class Wanted:
    """One facet of one repo to fetch, pinned to a revision where one is known."""

    entry_id: int
    repo_id: str
    revision: str


class CrawlState:
    """Runs, sweeps and the facet queue, in one SQLite file."""

    def __init__(self, home: Path) -> None:
        """Open or create ``home/state/crawl.sqlite``; raises `StateOfOtherVersion`."""
        self.folder = home / "state"
        self.folder.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(self.folder / "crawl.sqlite", isolation_level=None)
        _is_begun(self._db, home)
        # All or nothing: half a schema would look like another version's.
        self._db.executescript(
            "pragma journal_mode = wal; pragma synchronous = full;"
            f"begin immediate; {SCHEMA} pragma user_version = {STATE_VERSION}; commit"
        )

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the home for one crawl; raises `HomeBusy` when another process has it."""
        with (self.folder / "crawl.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise HomeBusy(
                    f"another crawl is running on {self.folder.parent}; wait for it or stop it"
                ) from None
            yield

    def claim_hub(self, name: str) -> None:
        """Remember whose records this home holds; raises `OtherHub` where it holds others'.

        A hub that has not answered anything yet, for a slip of the pen in its address perhaps, is
        forgotten for the next.
        """
        known = self._db.execute("select name from hub").fetchone()
        if known and known[0] != name:
            if any((self.folder.parent / "raw").rglob("*.jsonl.zst")):
                raise OtherHub(
                    f"this home holds records of {known[0]}, not of {name}; give another --home"
                )
            self._db.executescript("delete from hub; delete from sweep where ended_at is null")
        self._db.execute("insert or ignore into hub values (?, ?)", (name, _now()))

    def start_run(self, endpoint: str, facets: Iterable[str]) -> int:
        """Open a run and return its number."""
        row = self._db.execute(
            "insert into run (endpoint, facets, started_at) values (?, ?, ?) returning run_id",
            (endpoint, ",".join(facets), _now()),
        ).fetchone()
        return int(row[0])

    def end_run(self, run_id: int, outcome: str) -> None:
        """Close a run with its outcome: complete, limited, stopped or failed.

        A run that was killed has none; what it stored is counted all the same.
        """
        self._db.execute(
            "update run set ended_at = ?, outcome = ? where run_id = ?",
            (_now(), outcome, run_id),
        )

    def open_sweep(self, facets: Iterable[str]) -> Sweep | None:
        """The sweep that was left unfinished, if it queued these facets, or None."""
        sweep = self._latest_sweep(facets)
        return sweep if sweep and sweep.outcome is None else None

    def unfetched_sweep(self, facets: Iterable[str]) -> Sweep | None:
        """The last sweep, if it ended well with these facets queued and not all fetched yet."""
        sweep = self._latest_sweep(facets)
        return sweep if sweep and sweep.outcome in ENDED_WELL else None

    def start_sweep(
        self,
        first_path: str,
        *,
        expand: list[str],
        model_limit: int | None,
        facets: Iterable[str] = (),
    ) -> Sweep:
        """Begin a new pass over the listing, which will queue these facets of each repo."""
        row = self._db.execute(
            "insert into sweep (started_at, expand, facets, model_limit, next_path)"
            " values (?, ?, ?, ?, ?) returning sweep_id",
            (_now(), ",".join(expand), ",".join(facets), model_limit, first_path),
        ).fetchone()
        return Sweep(int(row[0]), expand, model_limit, first_path, 0, 0)

    def end_sweep(self, sweep: Sweep, outcome: str) -> None:
        """Close a sweep: complete, limited, truncated, looped or refused."""
        self._db.execute(
            "update sweep set ended_at = ?, outcome = ? where sweep_id = ?",
            (_now(), outcome, sweep.sweep_id),
        )

    def sweep_fetched(self, sweep: Sweep) -> None:
        """Remember that all that a crawl wanted of a sweep's repos is fetched."""
        self._db.execute("update sweep set fetched = 1 where sweep_id = ?", (sweep.sweep_id,))

    def seen_page(self, sweep: Sweep, path: str) -> bool:
        """Whether this sweep has already fetched the page at ``path``: a cursor that loops."""
        return bool(
            self._db.execute(
                "select 1 from sweep_page where sweep_id = ? and path = ?", (sweep.sweep_id, path)
            ).fetchone()
        )

    def record_page(
        self,
        sweep: Sweep,
        *,
        run_id: int,
        next_path: str | None,
        listed: int,
        wanted: Iterable[tuple[str, str, str, str, int]],
    ) -> None:
        """Move the sweep past one page and queue its facets, in one transaction.

        ``wanted`` rows are (facet, repo_id, version, revision, popularity); a facet whose
        version is queued or fetched already is not queued again.
        """
        with self._transaction():
            self._db.execute(
                "insert into sweep_page values (?, ?)", (sweep.sweep_id, sweep.next_path)
            )
            self._db.executemany(
                "insert or ignore into facet_queue"
                " (facet, repo_id, version, revision, popularity) values (?, ?, ?, ?, ?)",
                wanted,
            )
            self._db.execute(
                "update sweep set next_path = ?, page_count = page_count + 1,"
                " listed_count = listed_count + ? where sweep_id = ?",
                (next_path, listed, sweep.sweep_id),
            )
            self._db.execute(
                "update run set listed_count = listed_count + ? where run_id = ?", (listed, run_id)
            )
        sweep.next_path = next_path
        sweep.page_count += 1
        sweep.listed_count += listed

    def open_count(self, facet: str) -> int:
        """How many queue entries of a facet are still to be fetched."""
        row = self._db.execute(
            "select count(*) from facet_queue where facet = ? and done = 0", (facet,)
        ).fetchone()
        return int(row[0])

    def next_batch(self, facet: str, size: int) -> tuple[int, list[Wanted]] | None:
        """The batch that was claimed but not finished, else a newly claimed one, else None."""
        with self._transaction():
            row = self._db.execute(
                "select min(batch_id) from facet_queue where facet = ? and done = 0", (facet,)
            ).fetchone()
            batch_id = row[0] or self._claim(facet, size)
        rows = self._db.execute(
            "select entry_id, repo_id, revision from facet_queue where batch_id = ?"
            " order by entry_id",
            (batch_id,),
        ).fetchall()
        return (batch_id, [Wanted(*row) for row in rows]) if rows else None

    def finish_batch(self, batch_id: int, statuses: list[int], *, run_id: int) -> None:
        """Mark a batch's entries by the statuses of its raw file, in the batch's order.

        Entries past the end of the list, where a crawl was stopped amid a batch, go back to the
        queue; those that the hub failed to answer (5xx) wait for the next run (`retry_failed`).
        """
        with self._transaction():
            rows = self._db.execute(
                "select entry_id from facet_queue where batch_id = ? order by entry_id", (batch_id,)
            ).fetchall()
            marks = [DONE if status < 500 else FAILED for status in statuses]
            self._db.executemany(
                "update facet_queue set done = ? where entry_id = ?",
                [(mark, row[0]) for mark, row in zip(marks, rows, strict=False)],
            )
            self._db.execute(
                "update facet_queue set batch_id = null where batch_id = ? and done = 0",
                (batch_id,),
            )
            self._db.execute(
                "update run set answered_count = answered_count + ? where run_id = ?",
                (len(statuses), run_id),
            )

    def retry_failed(self) -> None:
        """Put what an earlier run could not get back into the queue."""
        self._db.execute(
            "update facet_queue set done = 0, batch_id = null where done = ?", (FAILED,)
        )

    def _latest_sweep(self, facets: Iterable[str]) -> Sweep | None:
        row = self._db.execute(
            "select facets, fetched, sweep_id, expand, model_limit, next_path, page_count,"
            " listed_count, outcome from sweep order by sweep_id desc limit 1"
        ).fetchone()
        if row is None or row[1] or not set(facets) <= set(row[0].split(",")):
            return None
        return Sweep(row[2], row[3].split(",") if row[3] else [], *row[4:])

    def _claim(self, facet: str, size: int) -> int:
        # A number of its own, never used again: it names the raw file.
        claimed = self._db.execute(
            "insert into facet_batch (facet) values (?) returning batch_id", (facet,)
        )
        number = int(claimed.fetchone()[0])
        self._db.execute(
            "update facet_queue set batch_id = ? where entry_id in (select entry_id"
            " from facet_queue where facet = ? and done = 0 and batch_id is null"
            " order by popularity desc, entry_id limit ?)",
            (number, facet, size),
        )
        return number

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("begin immediate")
        try:
            yield
            self._db.execute("commit")
        except BaseException:
            if self._db.in_transaction:  # a full disk has ended it already
                self._db.execute("rollback")
            raise


def past_runs(home: Path, *, most: int = 10) -> list[dict[str, str | int | None]]:
    """The latest runs of a home, newest first."""
    with _reading(home) as db:
        if db is None:
            return []
        rows = db.execute(
            "select started_at, coalesce(outcome, 'running or killed') as outcome, listed_count,"
            " answered_count, facets, endpoint from run order by run_id desc limit ?",
            (most,),
        ).fetchall()
        return [dict(row) for row in rows]


def queued_count(home: Path) -> int:
    """How many facets of a home are still to be fetched."""
    with _reading(home) as db:
        if db is None:
            return 0
        row = db.execute("select count(*) from facet_queue where done <> ?", (DONE,)).fetchone()
        return int(row[0])


@contextmanager
def _reading(home: Path) -> Iterator[sqlite3.Connection | None]:
    path = home / "state" / "crawl.sqlite"
    if not path.exists():
        yield None
        return
    with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as db:
        db.row_factory = sqlite3.Row
        yield db if _is_begun(db, home) else None


def _is_begun(db: sqlite3.Connection, home: Path) -> bool:
    """Whether the file holds a state; raises where it is one of another version, or none at all."""
    try:
        tables = db.execute("select count(*) from sqlite_master").fetchone()[0]
        version = db.execute("pragma user_version").fetchone()[0]
    except sqlite3.DatabaseError as broken:
        raise StateDamaged(
            f"{home}/state/crawl.sqlite cannot be read ({broken}); restore it, or give a new --home"
        ) from broken
    if tables and version != STATE_VERSION:
        raise StateOfOtherVersion(
            f"{home} was crawled by another version of hubatlas; give a new --home"
        )
    return bool(tables)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
