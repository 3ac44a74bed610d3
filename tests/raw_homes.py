"""Homes made of raw files written by hand: what a crawl would have left, answer by answer."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import orjson

from analysis.anatomy import study_anatomy
from analysis.licenses.datasets import publish_dataset_licenses
from analysis.lineage import derive_lineage
from analysis.study.publishing import publish_tables, write_tables
from crawler.raw import envelope, write_raw
from warehouse.build import build, is_current
from warehouse.read import open_warehouse

DAY = "2026-01-{:02d}T03:04:05.000Z"


class RawHome:
    """A folder whose raw files are written one by one; days order what they say."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.numbers = count(1)

    def write(self, facet: str, *envelopes: dict[str, Any]) -> str:
        """One raw file; returns its name."""
        name = f"{facet}/{next(self.numbers):05d}.jsonl.zst"
        write_raw(self.folder / "raw" / name, envelopes)
        return name

    def listing(self, *records: Any, day: int = 1) -> str:
        body = orjson.dumps(records)
        return self.write("model", answer(body, facet="model", day=day, sweep_id=day))

    def answer(self, facet: str, repo_id: str, body: Any, *, day: int = 1, **fields: Any) -> str:
        """One answer about a repo; a body that is no bytes becomes JSON."""
        text = body if isinstance(body, bytes) else orjson.dumps(body)
        return self.write(facet, answer(text, facet=facet, repo_id=repo_id, day=day, **fields))

    def failed(
        self, facet: str, repo_id: str, status: int, failure: str, *, day: int = 1, **fields: Any
    ) -> str:
        return self.answer(facet, repo_id, b"no", day=day, status=status, failure=failure, **fields)

    def journal(self, facet: str, entry: Any) -> str:
        return self.write(facet, answer(orjson.dumps(entry), facet=facet, day=1))

    def built(self, *, from_scratch: bool = False) -> duckdb.DuckDBPyConnection:
        published = build(self.folder, derive=derive_lineage, from_scratch=from_scratch)
        return duckdb.connect(published, read_only=True)

    def studied(self) -> duckdb.DuckDBPyConnection:
        """A build, licences of datasets, and all that the study of both publishes."""
        self.built().close()
        told = self.folder / "datasets.csv"
        told.write_text("dataset_id,license,source\nsquad,CC BY-SA 4.0,its card\n")
        publish_dataset_licenses(self.folder, told)
        with open_warehouse(self.folder) as db:
            files = write_tables(study_anatomy(db.cursor()), self.folder / "study" / "tables")
        publish_tables(self.folder, files)
        return duckdb.connect(self.folder / "warehouse.duckdb", read_only=True)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What the warehouse says, built anew where a raw file is new."""
        if not is_current(self.folder):
            self.built().close()
        with open_warehouse(self.folder) as db:
            return db.execute(sql).fetchall()


def answer(body: bytes, *, day: int, **fields: Any) -> dict[str, Any]:
    """An envelope with all keys that a crawl writes."""
    common = {
        **{"run_id": 1, "url": "http://hub/x", "final_url": None, "endpoint": "http://hub"},
        **{"status": 200, "etag": None, "repo_commit": None, "error_code": None, "failure": None},
        **{"fetched_at": DAY.format(day), "revision": "main", "page": 0, "client": "hubatlas/0"},
    }
    return envelope(body, **{**common, **fields})
