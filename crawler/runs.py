"""Runs: one row a crawl, kept while it goes on and told to the warehouse once it has ended."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crawler.database import now, reading, transaction

RUN_FIELDS = (
    *("run_id", "endpoint", "started_at", "ended_at", "outcome", "facets", "listed_count"),
    *("answered_count", "request_count", "query_file_count", "failures", "notes"),
)


@dataclass(frozen=True)
class Counted:
    """What a run has counted, and the sentences that it told."""

    request_count: int = 0
    query_file_count: int = 0
    failures: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def as_row(self) -> tuple[int, int, str, str]:
        """As the state keeps it."""
        failures = json.dumps(self.failures, sort_keys=True)
        return self.request_count, self.query_file_count, failures, json.dumps(self.notes)


@dataclass(frozen=True)
class Runs:
    """The rows of runs in a home's state."""

    db: sqlite3.Connection

    def start(self, endpoint: str, facets: Iterable[str]) -> int:
        """Open a run and return its number."""
        row = self.db.execute(
            "insert into run (endpoint, facets, started_at) values (?, ?, ?) returning run_id",
            (endpoint, ",".join(facets), now()),
        ).fetchone()
        return int(row[0])

    def keep(self, run_id: int, counted: Counted) -> None:
        """Keep what the run has counted and told so far; one that is killed has done it too."""
        self.db.execute(
            "update run set request_count = ?, query_file_count = ?, failures = ?, notes = ?"
            " where run_id = ?",
            (*counted.as_row(), run_id),
        )

    def end(self, run_id: int, outcome: str, counted: Counted) -> None:
        """Close a run with its outcome: complete, limited, incomplete, stopped or failed."""
        with transaction(self.db, "end of run"):
            self.keep(run_id, counted)
            self.db.execute(
                "update run set ended_at = ?, outcome = ? where run_id = ?",
                (now(), outcome, run_id),
            )

    def told(self, *, current: int | None) -> list[dict[str, Any]]:
        """All runs but the current one as their raw files tell them; an open one was killed."""
        rows = self.db.execute(
            f"select {', '.join(RUN_FIELDS)} from run where run_id is not ? order by run_id",  # noqa: S608
            (current,),
        ).fetchall()
        return [_as_told(dict(zip(RUN_FIELDS, row, strict=True))) for row in rows]


def past_runs(home: Path, *, most: int = 10) -> list[dict[str, Any]]:
    """The latest runs of a home, newest first, with what each told and counted."""
    with reading(home) as db:
        if db is None:
            return []
        rows = db.execute(
            "select run_id, started_at, coalesce(outcome, 'running or killed') as outcome,"
            " listed_count, answered_count, request_count, query_file_count, facets, failures,"
            " notes, endpoint from run order by run_id desc limit ?",
            (most,),
        ).fetchall()
        return [_unpacked(dict(row)) for row in rows]


def _as_told(run: dict[str, Any]) -> dict[str, Any]:
    told = _unpacked(run)
    told["outcome"] = run["outcome"] or "killed"
    told["facets"] = [name for name in str(run["facets"]).split(",") if name]
    return told


def _unpacked(run: dict[str, Any]) -> dict[str, Any]:
    return {**run, "failures": json.loads(run["failures"]), "notes": json.loads(run["notes"])}
