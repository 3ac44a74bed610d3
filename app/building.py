"""Building the warehouse, and telling of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from warehouse.landing import Report

UNREADABLE = "select count(*), min(source) from rejected where stage = 'raw' and key is null"


def built(
    home: Path,
    *,
    from_scratch: bool = False,
    report: Report = lambda label, done, total: None,
) -> str:
    """Build and publish; says where it is, and how many raw files could not be read."""
    from analysis.lineage import derive_lineage
    from warehouse.build import build
    from warehouse.read import open_warehouse

    published = build(home, derive=derive_lineage, from_scratch=from_scratch, report=report)
    with open_warehouse(home) as db:
        count, first = db.execute(UNREADABLE).fetchall()[0]
    if not count:
        return f"{published} is published"
    unread = f"{count:,} raw file(s) that cannot be read, {first} for one"
    return f"{published} is published without {unread}; the relation rejected says why"
