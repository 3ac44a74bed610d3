"""Runs: one row a crawl, kept while it goes on and told to the warehouse once it has ended."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crawler.database import now, reading, transaction

RUN_FIELDS = (
    *("run_id", "endpoint", "started_at", "ended_at", "outcome", "facets", "listed_count"),
    *("answered_count", "request_count", "query_file_count", "failures", "notes"),
)


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

    def note(self, run_id: int, notes: list[str]) -> None:
        """Keep what the run has told so far; a run that is killed has told it too."""
        self.db.execute("update run set notes = ? where run_id = ?", (json.dumps(notes), run_id))

    def end(
        self,
        run_id: int,
        outcome: str,
        *,
        request_count: int,
        query_file_count: int,
        failures: dict[str, int],
        notes: list[str],
    ) -> None:
        """Close a run with its outcome: complete, limited, incomplete, stopped or failed."""
        with transaction(self.db, "end of run"):
            self.db.execute(
                "update run set ended_at = ?, outcome = ?, request_count = ?,"
                " query_file_count = ?, failures = ?, notes = ? where run_id = ?",
                (
                    *(now(), outcome, request_count, query_file_count),
                    *(json.dumps(failures, sort_keys=True), json.dumps(notes), run_id),
                ),
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
