"""Sweeps: passes over the listing, and what they have seen of each repo."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from crawler.database import now, reading, transaction
from crawler.listed import COLUMNS, Listed
from crawler.queue import Enqueue, Queue

ENDED_WELL = frozenset({"complete", "limited", "incomplete", "truncated", "looped"})
SWEEP_FIELDS = (
    *("sweep_id", "kind", "endpoint", "watermark_at", "since_at", "expand", "facets"),
    *("model_limit", "next_path", "page_count", "listed_count", "outcome", "notes"),
)
TOLD = (
    *("sweep_id", "kind", "endpoint", "started_at", "ended_at", "watermark_at", "since_at"),
    *("outcome", "expand", "listed_count", "known_count", "missing_count", "notes"),
)


@dataclass
class Sweep:
    """One pass over the listing; ``next_path`` is None once it has ended.

    Attributes
    ----------
    kind
        ``full``, ``incremental`` (what changed since ``since_at``) or ``import``.
    watermark_at
        The hub's time when the sweep began: the next incremental one starts from there.
    """

    sweep_id: int
    kind: str
    endpoint: str
    watermark_at: str
    since_at: str | None
    expand: list[str]
    facets: tuple[str, ...]
    model_limit: int | None
    next_path: str | None
    page_count: int = 0
    listed_count: int = 0
    outcome: str | None = None
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Sweeps:
    """The rows of sweeps, and of the repos that they listed, in a home's state."""

    db: sqlite3.Connection
    queue: Queue

    def latest(self) -> Sweep | None:
        """The sweep that was begun last, ended or not; imports are none."""
        return self._one("kind <> 'import'")

    def open_import(self, source: str) -> Sweep | None:
        """The import of this very source that was broken off last."""
        return self._one("kind = 'import' and outcome is null and endpoint = ?", source)

    def start(
        self,
        kind: str,
        first_path: str,
        *,
        endpoint: str,
        watermark_at: str,
        since_at: str | None = None,
        expand: list[str] | None = None,
        model_limit: int | None = None,
        facets: Iterable[str] = (),
    ) -> Sweep:
        """Begin a pass over the listing, which will queue these facets of each repo."""
        known = (kind, endpoint, watermark_at, since_at)
        asked = (model_limit, ",".join(expand or []), ",".join(facets), first_path)
        row = self.db.execute(
            "insert into sweep (started_at, kind, endpoint, watermark_at, since_at, model_limit,"
            " expand, facets, next_path) values (?, ?, ?, ?, ?, ?, ?, ?, ?) returning sweep_id",
            (now(), *known, *asked),
        ).fetchone()
        expand = expand or []
        return Sweep(int(row[0]), *known, expand, tuple(facets), model_limit, first_path)

    def end(self, sweep: Sweep, outcome: str) -> None:
        """Close a sweep: complete, incomplete, limited, truncated, looped or refused."""
        with transaction(self.db, "end of sweep"):
            known, missing = self._completeness(sweep) if outcome == "complete" else (None, None)
            if missing and missing > max(10, (known or 0) // 50):
                outcome = "incomplete"
            self.db.execute(
                "update sweep set ended_at = ?, outcome = ?, known_count = ?, missing_count = ?,"
                " notes = ?, next_path = case when ? = 'limited' then next_path end"
                " where sweep_id = ?",
                (
                    *(now(), outcome, known, missing, json.dumps(sweep.notes), outcome),
                    sweep.sweep_id,
                ),
            )
            # Needed to notice a cursor that loops, and only until the end.
            self.db.execute("delete from sweep_page where sweep_id = ?", (sweep.sweep_id,))
        sweep.outcome = outcome

    def ended(self) -> list[dict[str, Any]]:
        """All sweeps that have ended, as their raw files tell them."""
        rows = self.db.execute(
            f"select {', '.join(TOLD)} from sweep where outcome is not null"  # noqa: S608
        ).fetchall()
        return [_as_told(dict(zip(TOLD, row, strict=True))) for row in rows]

    def watermark(self) -> str | None:
        """Where the next incremental sweep starts: the last sweep that listed all it should."""
        row = self.db.execute(
            "select max(watermark_at) from sweep where outcome = 'complete' and kind <> 'import'"
        ).fetchone()
        return str(row[0]) if row[0] else None

    def seen_page(self, sweep: Sweep, path: str) -> bool:
        """Whether this sweep has already fetched the page at ``path``: a cursor that loops."""
        return bool(
            self.db.execute(
                "select 1 from sweep_page where sweep_id = ? and path = ?", (sweep.sweep_id, path)
            ).fetchone()
        )

    def record_page(
        self,
        sweep: Sweep,
        *,
        run_id: int,
        next_path: str | None,
        listed: list[Listed],
        enqueue: Iterable[Enqueue] = (),
        settled: Mapping[str, list[str]] = MappingProxyType({}),
    ) -> None:
        """Move the sweep past one page, take in its repos and queue their facets, all or nothing.

        ``settled`` names facets that an import brought along, each with the repos' hub ids.
        """
        with transaction(self.db, "page"):
            self.db.execute(
                "insert or ignore into sweep_page values (?, ?)", (sweep.sweep_id, sweep.next_path)
            )
            self._take_in(sweep, listed)
            self.queue.add(enqueue)
            for facet, hub_ids in settled.items():
                self.queue.settle(facet, hub_ids)
            self.db.execute(
                "update sweep set next_path = ?, page_count = page_count + 1,"
                " listed_count = listed_count + ? where sweep_id = ?",
                (next_path, len(listed), sweep.sweep_id),
            )
            self.db.execute(
                "update run set listed_count = listed_count + ? where run_id = ?",
                (len(listed), run_id),
            )
        sweep.next_path = next_path
        sweep.page_count += 1
        sweep.listed_count += len(listed)

    def queue_listed(self, sweep: Sweep, enqueue: Iterable[Enqueue]) -> None:
        """Queue further facets of all that a sweep has listed so far."""
        enqueue = list(enqueue)
        with transaction(self.db, "further facets"):
            self._clear_listing()
            self.db.execute(
                "insert into temp.listing select repo_key from repo where last_sweep >= ?",
                (sweep.sweep_id,),
            )
            self.queue.add(enqueue)
            facets = tuple(dict.fromkeys((*sweep.facets, *(e.facet for e in enqueue))))
            self.db.execute(
                "update sweep set facets = ? where sweep_id = ?",
                (",".join(facets), sweep.sweep_id),
            )
        sweep.facets = facets

    def list_repos(self, repo_ids: Iterable[str]) -> None:
        """Fill ``temp.listing`` with repos by name, within the caller's transaction."""
        self._clear_listing()
        self.db.execute("create temp table if not exists named (repo_id text primary key)")
        self.db.execute("delete from temp.named")
        self.db.executemany(
            "insert or ignore into temp.named values (?)", ((repo_id,) for repo_id in repo_ids)
        )
        self.db.execute(
            "insert into temp.listing select repo_key from repo"
            " where repo_id in (select repo_id from temp.named)"
        )

    def queue_known(self, enqueue: Iterable[Enqueue]) -> None:
        """Queue facets of all repos that a hub listed or an import brought."""
        with transaction(self.db, "known"):
            self._clear_listing()
            self.db.execute(
                "insert into temp.listing select repo_key from repo"
                " where gone = 0 and hub_id not like 'local-%'"
            )
            self.queue.add(enqueue)

    def queue_vanished(self, sweep: Sweep) -> int:
        """Queue a probe of each repo that neither this full sweep nor the one before listed."""
        row = self.db.execute(
            "select max(sweep_id) from sweep where kind = 'full' and outcome = 'complete'"
            " and sweep_id < ?",
            (sweep.sweep_id,),
        ).fetchone()
        if row[0] is None:
            return 0
        with transaction(self.db, "vanished"):
            self._clear_listing()
            count = self.db.execute(
                "insert into temp.listing select repo_key from repo"
                " where gone = 0 and last_sweep < ? and hub_id not like 'local-%'",
                (row[0],),
            ).rowcount
            self.queue.add([Enqueue("probe", version=sweep.sweep_id)])
        return count

    def _take_in(self, sweep: Sweep, listed: list[Listed]) -> None:
        self._clear_listing()
        self.db.execute(f"create temp table if not exists page ({', '.join(COLUMNS)})")
        self.db.execute("delete from temp.page")
        marks = ", ".join("?" * len(COLUMNS))
        self.db.executemany(f"insert into temp.page values ({marks})", listed)  # noqa: S608
        # A repo under a new name has new addresses: what is stored of it bears the old one.
        self.db.execute(
            "delete from facet_queue where repo_key in (select repo_key from repo"
            " join temp.page using (hub_id) where repo.repo_id <> page.repo_id)"
        )
        kept = [name for name in COLUMNS if name != "hub_id"]
        # What an import tells of an earlier time than the last sweep says nothing of today.
        stale = sweep.kind == "import" and sweep.watermark_at < (self.watermark() or "")
        changes = ", ".join(f"{name} = excluded.{name}" for name in kept if not stale)
        changes += ", last_sweep = :sweep, gone = 0" if not stale else "last_sweep = last_sweep"
        self.db.execute(
            f"insert into repo ({', '.join(COLUMNS)}, first_sweep, last_sweep)"  # noqa: S608
            f" select {', '.join(COLUMNS)}, :sweep, :sweep from temp.page where true"
            f" on conflict (hub_id) do update set {changes}",
            {"sweep": sweep.sweep_id},
        )
        self.db.execute(
            "insert or ignore into temp.listing"
            " select repo_key from temp.page join repo using (hub_id)"
        )

    def _clear_listing(self) -> None:
        self.db.execute("create temp table if not exists listing (repo_key integer primary key)")
        self.db.execute("delete from temp.listing")

    def _completeness(self, sweep: Sweep) -> tuple[int | None, int | None]:
        """How many repos were known before a full sweep, and how many of these it did not list."""
        if sweep.kind != "full":
            return None, None
        known, missing = self.db.execute(
            "select count(*), sum(last_sweep < ?) from repo"
            " where gone = 0 and first_sweep < ? and hub_id not like 'local-%'",
            (sweep.sweep_id, sweep.sweep_id),
        ).fetchone()
        return (known, missing) if known else (None, None)

    def _one(self, condition: str, *values: Any) -> Sweep | None:
        row = self.db.execute(
            f"select {', '.join(SWEEP_FIELDS)} from sweep where {condition}"  # noqa: S608
            " order by sweep_id desc limit 1",
            values,
        ).fetchone()
        if row is None:
            return None
        known = dict(zip(SWEEP_FIELDS, row, strict=True))
        lists = {name: [x for x in known[name].split(",") if x] for name in ("expand", "facets")}
        lists["facets"] = tuple(lists["facets"])  # type: ignore[assignment]
        return Sweep(**{**known, **lists, "notes": json.loads(known["notes"])})


def _as_told(row: dict[str, Any]) -> dict[str, Any]:
    expand = [name for name in row["expand"].split(",") if name]
    return {**row, "expand": expand, "notes": json.loads(row["notes"])}


def last_ended(home: Path, kind: str) -> str | None:
    """When the last sweep of a kind (full, incremental) ended well, UTC; None if none ever did."""
    with reading(home) as db:
        if db is None:
            return None
        marks = ", ".join("?" * len(ENDED_WELL))
        row = db.execute(
            f"select max(ended_at) from sweep where kind = ? and outcome in ({marks})",  # noqa: S608
            (kind, *sorted(ENDED_WELL)),
        ).fetchone()
        return row[0] if row else None
