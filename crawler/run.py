"""What every step of one crawl works with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from crawler.hub import Hub
from crawler.state import CrawlState

Report = Callable[[str, int, int | None], None]


@dataclass(frozen=True)
class Run:
    """One crawl: the hub it asks, the home it fills, and whom it tells (step, done, total).

    ``tally`` counts what this run has stored so far: models ``listed``, repos answered by facet.
    """

    run_id: int
    hub: Hub
    home: Path
    state: CrawlState
    facets: tuple[str, ...]
    report: Report
    tally: Counter[str] = field(default_factory=Counter)

    def raw_path(self, facet: str, name: str) -> Path:
        """Where a raw file of a facet lies; names are numbers, never repo names."""
        return self.home / "raw" / facet / f"{name}.jsonl.zst"
