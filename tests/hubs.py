"""Small hubs for tests: recordings written to disk and the warehouses that they become."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb
import orjson

from analysis.lineage import derive_lineage
from crawler.crawl import crawl
from crawler.localhub.running import running
from warehouse.build import build

Record = dict[str, Any]
# What differs between two crawls of the same hub by nature: when, by which run, in which file.
VOLATILE = {"fetched_at", "observed_at", "first_seen_at", "last_seen_at", "built_at", "source"}


def model(repo_id: Any, *, card: str | None = None, **fields: Any) -> Record:
    """One line of a recording."""
    return {"model": {"id": repo_id, "tags": [], **fields}, "card": card}


def recording(folder: Path, lines: Iterable[Record]) -> Path:
    path = folder / "recording.jsonl"
    path.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    return path


def crawled(home: Path, source: Path, **options: Any) -> Path:
    """Serve a recording, crawl it over HTTP into a home."""
    with running(source) as endpoint:
        crawl(home, endpoint=endpoint, hub_name="test", **options)
    return home


def built(home: Path, source: Path) -> duckdb.DuckDBPyConnection:
    """Serve, crawl, build; the published warehouse, opened."""
    crawled(home, source)
    return duckdb.connect(build(home, derive=derive_lineage), read_only=True)


def relations(db: duckdb.DuckDBPyConnection) -> list[str]:
    rows = db.execute(
        "select table_name from duckdb_tables() where schema_name = 'main'"
    ).fetchall()
    return sorted(name for (name,) in rows if name != "build")


def contents(db: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """Every relation as sorted rows of text, without what differs by nature."""
    out = {}
    for name in relations(db):
        columns = [row[0] for row in db.execute(f"describe {name}").fetchall()]
        kept = [column for column in columns if column not in VOLATILE]
        rows = db.execute(f"select {', '.join(kept)} from {name}").fetchall()
        out[name] = sorted(map(repr, rows))
    return out
