"""A study's tables on disk, and in the warehouse for everybody's SQL."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from analysis.study.measures import Study
from warehouse.build import amend
from warehouse.relations import read_relation, write_comment


def write_tables(study: Study, folder: Path) -> list[Path]:
    """Write each kept table as ``folder/NAME.parquet`` and ``.csv``; returns the Parquet files.

    Lists stand in the CSV as DuckDB writes them; a missing value is an empty field.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name in study.kept:
        path = folder / f"{name}.parquet"
        table = study.db.sql(f"from {name}").to_arrow_table()
        pq.write_table(table, path, compression="zstd")
        table.to_pandas().to_csv(path.with_suffix(".csv"), index=False)
        written.append(path)
    return written


def publish_tables(home: Path, files: Iterable[Path]) -> None:
    """Put a study's tables into the published warehouse, in the place of those of the last one.

    Raises what `warehouse.build.amend` raises; the published file is untouched then.
    """

    def add(db: duckdb.DuckDBPyConnection) -> None:
        for path in files:
            name = path.stem
            db.execute(f"create or replace table main.{name} as from read_parquet(?)", [str(path)])
            write_comment(db, read_relation("analysis.study", name))

    amend(home, add)
