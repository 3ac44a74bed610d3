"""Sweeps: passes over the listing."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from crawler.completeness import ON_A_HUB, Gap, absent_count, full_before, gap_of
from crawler.database import now, reading, transaction
from crawler.known import Taken, clear_listing, take_in
from crawler.listed import Listed
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
    listed_count
        Repos that it listed, each once.
    notes
        Sentences on what the hub lacks and on what is missing from the listing.
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

    @property
    def begun_at(self) -> str:
        """When it began by the hub's clock, as a sentence says it."""
        return f"{self.watermark_at[:16].replace('T', ' ')} UTC"


@dataclass(frozen=True)
class Sweeps:
    """The rows of sweeps in a home's state."""

    db: sqlite3.Connection
    queue: Queue

    def latest(self) -> Sweep | None:
        """The sweep that was begun last, ended or not; imports are none."""
        return self._one("kind <> 'import'")

    def latest_whole(self, model_limit: int | None) -> Sweep | None:
        """The full sweep that came to its end last, or to this limit."""
        return self._one(
            "kind = 'full' and (outcome = 'complete' or (outcome = 'limited' and model_limit = ?))",
            model_limit,
        )

    def numbered(self, sweep_id: int) -> Sweep | None:
        """The sweep of this number."""
        return self._one("sweep_id = ?", sweep_id)

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
        notes: Iterable[str] = (),
    ) -> Sweep:
        """Begin a pass over the listing, which will queue these facets of each repo."""
        facets, notes, expand = tuple(facets), list(notes), expand or []
        known = (kind, endpoint, watermark_at, since_at)
        asked = (model_limit, ",".join(expand), ",".join(facets), first_path)
        row = self.db.execute(
            "insert into sweep (started_at, kind, endpoint, watermark_at, since_at, model_limit,"
            " expand, facets, next_path, notes, missing_count)"
            " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) returning sweep_id",
            # Until its end missing_count is what was missing at its begin.
            (now(), *known, *asked, json.dumps(notes), absent_count(self.db)),
        ).fetchone()
        return Sweep(int(row[0]), *known, expand, facets, model_limit, first_path, notes=notes)

    def end(self, sweep: Sweep, outcome: str) -> None:
        """Close a sweep.

        As complete (incomplete where too much is missing), limited, truncated, looped, refused, or
        superseded by one that lists more.
        """
        with transaction(self.db, "end of sweep"):
            gap = self._gap(sweep) if outcome == "complete" else None
            if gap and gap.is_too_wide:
                outcome = "incomplete"
            sweep.notes += self._said_of(gap, sweep)
            known, missing = (gap.known, gap.missing) if gap and gap.known else (None, None)
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
    ) -> Taken:
        """Move the sweep past one page, take in its repos and queue their facets, all or nothing.

        ``settled`` names facets that an import brought along, each with the repos' hub ids. Repos
        that the sweep has listed before, on another page, are not counted again.
        """
        with transaction(self.db, "page"):
            self.db.execute(
                "insert or ignore into sweep_page values (?, ?)", (sweep.sweep_id, sweep.next_path)
            )
            # What an import tells of an earlier time than the last sweep says nothing of today.
            stale = sweep.kind == "import" and sweep.watermark_at < (self.watermark() or "")
            taken = take_in(self.db, listed, sweep_id=sweep.sweep_id, stale=stale)
            self.queue.add(enqueue)
            for facet, hub_ids in settled.items():
                self.queue.settle(facet, hub_ids)
            self.db.execute(
                "update sweep set next_path = ?, page_count = page_count + 1,"
                " listed_count = listed_count + ?, notes = ? where sweep_id = ?",
                (next_path, taken.listed, json.dumps(sweep.notes), sweep.sweep_id),
            )
            self.db.execute(
                "update run set listed_count = listed_count + ? where run_id = ?",
                (taken.listed, run_id),
            )
        sweep.next_path = next_path
        sweep.page_count += 1
        sweep.listed_count += taken.listed
        return taken

    def queue_listed(self, sweep: Sweep, enqueue: Iterable[Enqueue]) -> None:
        """Queue further facets of all that a sweep has listed so far."""
        enqueue = list(enqueue)
        with transaction(self.db, "further facets"):
            clear_listing(self.db)
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

    def queue_known(self, enqueue: Iterable[Enqueue]) -> None:
        """Queue facets of all repos that a hub listed or an import brought."""
        with transaction(self.db, "known"):
            clear_listing(self.db)
            self.db.execute(
                f"insert into temp.listing select repo_key from repo where {ON_A_HUB}"  # noqa: S608
            )
            self.queue.add(enqueue)

    def queue_vanished(self, sweep: Sweep) -> int:
        """Queue a probe of each repo that neither this full sweep nor the one before listed."""
        former = full_before(self.db, sweep.sweep_id)
        if former is None or sweep.kind != "full":
            return 0
        with transaction(self.db, "vanished"):
            clear_listing(self.db)
            count = self.db.execute(
                "insert into temp.listing select repo_key from repo"  # noqa: S608
                f" where {ON_A_HUB} and last_sweep < ?",
                (former,),
            ).rowcount
            self.queue.add([Enqueue("probe", version=sweep.sweep_id)])
        return count

    def _gap(self, sweep: Sweep) -> Gap | None:
        if sweep.kind != "full":
            return None
        row = self.db.execute(
            "select coalesce(missing_count, 0) from sweep where sweep_id = ?", (sweep.sweep_id,)
        ).fetchone()
        return gap_of(self.db, sweep.sweep_id, absent_before=int(row[0]))

    def _said_of(self, gap: Gap | None, sweep: Sweep) -> list[str]:
        if gap is None:
            return []
        if gap.is_too_wide:
            return [
                f"the listing is incomplete: {gap.missing:,} of {gap.known:,} models known before"
                " are not in it"
            ]
        former = self.numbered(full_before(self.db, sweep.sweep_id) or 0)
        if not gap.lost or former is None or former.outcome != "incomplete":
            return []
        return [
            f"{gap.lost:,} models known before are in neither this listing nor the full one before"
            " it: they are taken as lost and asked for by name"
        ]

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
