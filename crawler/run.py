"""What every step of one crawl works with."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from crawler.hub import Hub
from crawler.raw import envelope, write_raw
from crawler.restraint import Restraint
from crawler.runs import Counted
from crawler.state import CrawlState

Report = Callable[[str, int, int | None], None]
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Run:
    """One crawl: the hub it asks, the home it fills, and whom it tells.

    Attributes
    ----------
    report
        Told of progress: (step, done, total or None).
    tell
        Told, once each, in sentences what a user must know: what a hub does not offer, what is
        missing.
    query_files
        Whether files may be fetched whose requests the Hub counts as downloads.
    tally
        What this run has stored so far: models ``listed``, repos answered by facet, requests for
        ``query files``.
    failed
        By facet, how many answers wait for the next run, by the name of their failure.
    offered, lacking
        Facets that the endpoint was seen to offer, and those that it does not.
    """

    run_id: int
    hub: Hub
    home: Path
    state: CrawlState
    facets: tuple[str, ...]
    report: Report
    tell: Tell
    restraint: Restraint
    query_files: bool = False
    tally: Counter[str] = field(default_factory=Counter)
    failed: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    offered: set[str] = field(default_factory=set)
    lacking: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def raw_path(self, facet: str, name: str) -> Path:
        """Where a raw file of a facet lies; names are numbers, never repo names."""
        return raw_path(self.home, facet, name)

    def counted(self) -> Counted:
        """What the run has counted and told so far."""
        with self.lock:
            notes, query_files = list(self.notes), self.tally["query files"]
        return Counted(self.hub.request_count, query_files, dict(self.hub.failures), notes)

    def summary(self, name: str) -> str:
        """What came of a facet, as a part of a sentence: how many were asked, what failed."""
        asked, failed = f"{self.tally[name]:,} asked for {name}", self.failed[name]
        if name in self.lacking:
            return f"{asked} (the hub does not offer it)"
        if not failed:
            return asked
        named = [f"{count:,} {failure}" for failure, count in failed.most_common()]
        why = next(iter(failed)) if len(failed) == 1 else ", ".join(named)
        return f"{asked} ({failed.total():,} failed: {why}; they wait for the next run)"

    def count_query_file(self) -> None:
        """Count a request that the Hub counts as a download; called from many threads."""
        with self.lock:
            self.tally["query files"] += 1

    def say(self, sentence: str) -> None:
        """Tell the user something once, and remember it with the run."""
        with self.lock:
            if sentence in self.notes:
                return
            self.notes.append(sentence)
        self.tell(sentence)


def raw_path(home: Path, facet: str, name: str) -> Path:
    """Where a raw file lies in a home."""
    return home / "raw" / facet / f"{name}.jsonl.zst"


def record_runs_and_sweeps(home: Path, state: CrawlState, *, current: int | None) -> None:
    """Write the raw files of runs and sweeps that have none: all that ended, however they did.

    ``current`` is the run that still goes on.
    """
    for run in state.runs.told(current=current):
        _write_told(raw_path(home, "run", f"{run['run_id']:06d}"), "run", run)
    for sweep in state.sweeps.ended():
        _write_told(raw_path(home, "sweep", f"{sweep['sweep_id']:05d}"), "sweep", sweep)


def _write_told(path: Path, facet: str, told: dict[str, Any]) -> None:
    if not path.exists():
        at = told["ended_at"] or told["started_at"]
        write_raw(path, [envelope(orjson.dumps(told), facet=facet, fetched_at=at)])
