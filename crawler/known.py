"""The repos that a home knows: what the listings said of each last."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from crawler.database import reading
from crawler.listed import COLUMNS, Listed


class Taken(NamedTuple):
    """What a page brought: repos that the sweep had not listed yet, and what was known of them.

    ``new`` are those that were not known at all, ``changed`` those known at another commit.
    """

    listed: int
    new: int
    changed: int


def take_in(db: sqlite3.Connection, listed: list[Listed], *, sweep_id: int, stale: bool) -> Taken:
    """Take in the repos of a page, within the caller's transaction, and fill ``temp.listing``.

    What is ``stale`` adds repos and changes none that are known.
    """
    clear_listing(db)
    db.execute(f"create temp table if not exists page ({', '.join(COLUMNS)})")
    db.execute("delete from temp.page")
    marks = ", ".join("?" * len(COLUMNS))
    db.executemany(f"insert into temp.page values ({marks})", listed)  # noqa: S608
    taken = _not_listed_yet(db, sweep_id)
    _merge(db, sweep_id, stale=stale)
    db.execute(
        "insert or ignore into temp.listing select repo_key from temp.page join repo using (hub_id)"
    )
    return taken


def list_repos(db: sqlite3.Connection, repo_ids: Iterable[str]) -> None:
    """Fill ``temp.listing`` with repos by name, within the caller's transaction."""
    clear_listing(db)
    db.execute("create temp table if not exists named (repo_id text primary key)")
    db.execute("delete from temp.named")
    db.executemany(
        "insert or ignore into temp.named values (?)", ((repo_id,) for repo_id in repo_ids)
    )
    db.execute(
        "insert into temp.listing select repo_key from repo"
        " where repo_id in (select repo_id from temp.named)"
    )


def clear_listing(db: sqlite3.Connection) -> None:
    """Empty ``temp.listing``, the repos that `crawler.queue.Queue.add` queues."""
    db.execute("create temp table if not exists listing (repo_key integer primary key)")
    db.execute("delete from temp.listing")


def knows_any(home: Path) -> bool:
    """Whether a home knows any repo that a hub can be asked for."""
    with reading(home) as db:
        if db is None:
            return False
        asked = "select 1 from repo where gone = 0 and hub_id not like 'local-%' limit 1"
        return db.execute(asked).fetchone() is not None


def _not_listed_yet(db: sqlite3.Connection, sweep_id: int) -> Taken:
    row = db.execute(
        "select count(*), coalesce(sum(repo_key is null), 0),"
        " coalesce(sum(repo.version <> told.version), 0)"
        " from (select hub_id, max(version) as version from temp.page group by hub_id) told"
        " left join repo using (hub_id) where last_sweep is null or last_sweep <> ?",
        (sweep_id,),
    ).fetchone()
    return Taken(*row)


def _merge(db: sqlite3.Connection, sweep_id: int, *, stale: bool) -> None:
    if not stale:
        # A repo under a new name has new addresses: what is stored of it bears the old one.
        db.execute(
            "delete from facet_queue where repo_key in (select repo_key from repo"
            " join temp.page using (hub_id) where repo.repo_id <> page.repo_id)"
        )
    kept = [name for name in COLUMNS if name != "hub_id"]
    changes = ", ".join(f"{name} = excluded.{name}" for name in kept)
    changes += ", last_sweep = :sweep, gone = 0"
    db.execute(
        f"insert into repo ({', '.join(COLUMNS)}, first_sweep, last_sweep)"  # noqa: S608
        f" select {', '.join(COLUMNS)}, :sweep, :sweep from temp.page where true"
        f" on conflict (hub_id) do {'nothing' if stale else f'update set {changes}'}",
        {"sweep": sweep_id},
    )
