"""``HOME/state/crawl.sqlite``: what a crawl remembers, and how it is opened and changed.

The order is always: write the raw file, then move the state in one transaction. A crash between
the two leaves a raw file that the state does not know; the next run takes it as fetched instead of
fetching it again, so nothing is lost and nothing doubled.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from crawler import CrawlError
from crawler.faultpoint import reach
from crawler.times import api_time

STATE_VERSION = 3
# One row of facet_queue a repo and facet: the version wanted there, as a number that stands for
# the commit sha, so that 2.5 million repos and five facets stay below a gigabyte.
SCHEMA = """
create table if not exists hub (name text primary key, first_seen_at text not null);
create table if not exists run (
  run_id integer primary key, endpoint text not null, started_at text not null,
  ended_at text, outcome text, facets text not null,
  listed_count integer not null default 0, answered_count integer not null default 0,
  request_count integer not null default 0, query_file_count integer not null default 0,
  failures text not null default '{}', notes text not null default '[]');
create table if not exists sweep (
  sweep_id integer primary key, kind text not null, endpoint text not null,
  started_at text not null, watermark_at text not null, since_at text, ended_at text,
  outcome text, model_limit integer, expand text not null, facets text not null, next_path text,
  page_count integer not null default 0, listed_count integer not null default 0,
  known_count integer, missing_count integer, notes text not null default '[]');
create table if not exists sweep_page (
  sweep_id integer not null, path text not null, primary key (sweep_id, path)) without rowid;
create table if not exists repo (
  repo_key integer primary key, hub_id text not null unique, repo_id text not null,
  revision text not null, version integer not null, popularity integer not null,
  holds integer not null, downloads integer, likes integer, pipeline_tag text,
  parameter_count integer, storage_bytes integer, created_at text,
  first_sweep integer not null, last_sweep integer not null, gone integer not null default 0);
create table if not exists facet (facet_id integer primary key, name text not null unique);
create table if not exists facet_queue (
  repo_key integer not null, facet_id integer not null, version integer not null,
  priority integer not null, state integer not null default 0, batch_id integer,
  answered_day integer, answered_revision text, tries integer not null default 0,
  primary key (repo_key, facet_id)) without rowid;
create index if not exists facet_queue_open on facet_queue
  (facet_id, priority desc, repo_key) where state = 0;
create index if not exists facet_queue_claimed on facet_queue (batch_id) where state = 1;
create index if not exists facet_queue_failed on facet_queue (facet_id) where state = 3;
create table if not exists facet_batch (
  batch_id integer primary key autoincrement, facet_id integer not null);
create table if not exists sample (
  sample_id integer primary key, sweep_id integer not null, request text not null);
create table if not exists forgotten (digest text primary key, erased integer not null default 0);
"""


class StateDamaged(CrawlError):
    """The home's crawl state cannot be read."""


class StateOfOtherVersion(CrawlError):
    """The home's crawl state was written by another version of hubatlas."""


def open_database(home: Path) -> sqlite3.Connection:
    """Open or create a home's state; raises `StateDamaged`, `StateOfOtherVersion`."""
    folder = home / "state"
    folder.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(folder / "crawl.sqlite", isolation_level=None)
    is_begun(db, home)
    # All or nothing: half a schema would look like another version's.
    db.executescript(
        "pragma journal_mode = wal; pragma synchronous = full; pragma cache_size = -65536;"
        f"begin immediate; {SCHEMA} pragma user_version = {STATE_VERSION}; commit"
    )
    return db


@contextmanager
def transaction(db: sqlite3.Connection, name: str) -> Iterator[None]:
    """All of the block or nothing of it; ``name`` is its place in the tests of crashes."""
    reach(f"{name} begins")
    db.execute("begin immediate")
    try:
        yield
        reach(f"{name} not yet committed")
        db.execute("commit")
    except BaseException:
        if db.in_transaction:  # a full disk has ended it already
            db.execute("rollback")
        raise
    reach(f"{name} committed")


@contextmanager
def reading(home: Path) -> Iterator[sqlite3.Connection | None]:
    """The state to read from beside a running crawl; None where the home holds none yet."""
    path = home / "state" / "crawl.sqlite"
    if not path.exists():
        yield None
        return
    with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as db:
        db.row_factory = sqlite3.Row
        yield db if is_begun(db, home) else None


def is_begun(db: sqlite3.Connection, home: Path) -> bool:
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


def now() -> str:
    """The time of this machine, UTC to the millisecond."""
    return api_time(datetime.now(UTC))
