"""Rows into Parquet files whose bytes depend on the rows alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.export_columns import StoredColumn

ROWS_A_GROUP = 100_000
GROUPS_A_FILE = 10
WIDE = {"text", "message", "answer"}  # columns that hold pages of text a row
ROWS_A_WIDE_GROUP = 20_000
LEVEL = 3  # of zstd


@dataclass(frozen=True)
class Part:
    """One file of a relation."""

    path: Path
    row_count: int


def write_parts(
    rows: duckdb.DuckDBPyRelation, folder: Path, columns: list[StoredColumn]
) -> list[Part]:
    """Write rows, in their order, as ``folder/part-00000.parquet`` and so on.

    A relation without rows is one file without rows, that readers find its columns.
    """
    folder.mkdir()
    group_rows = ROWS_A_WIDE_GROUP if WIDE & set(rows.columns) else ROWS_A_GROUP
    reader = rows.to_arrow_reader(group_rows)
    schema = _schema(reader.schema, columns)
    groups = _groups(reader, group_rows)
    parts: list[Part] = []
    more = next(groups, None)
    while more is not None or not parts:
        path, count = folder / f"part-{len(parts):05d}.parquet", 0
        with pq.ParquetWriter(
            path, schema, compression="zstd", compression_level=LEVEL, version="2.6"
        ) as writer:
            for _ in range(GROUPS_A_FILE):
                if more is None:
                    break
                writer.write_table(more.cast(schema), row_group_size=group_rows)
                count += more.num_rows
                more = next(groups, None)
        parts.append(Part(path, count))
    return parts


def _groups(reader: pa.RecordBatchReader, row_count: int) -> Iterator[pa.Table]:
    """Tables of just so many rows, in one chunk each, but for the last one."""
    held: list[pa.RecordBatch] = []
    have = 0
    for batch in reader:
        held.append(batch)
        have += batch.num_rows
        while have >= row_count:
            whole = pa.Table.from_batches(held)
            yield whole.slice(0, row_count).combine_chunks()
            rest = whole.slice(row_count)
            held, have = rest.to_batches(), rest.num_rows
    if have:
        yield pa.Table.from_batches(held).combine_chunks()


def _schema(found: pa.Schema, columns: list[StoredColumn]) -> pa.Schema:
    said = {column.name: column.description for column in columns}
    return pa.schema([_field(field, said[field.name]) for field in found])


def _field(field: pa.Field, description: str) -> pa.Field:
    kind: Any = field.type
    if pa.types.is_timestamp(kind):
        kind = pa.timestamp("us", "UTC")
    return pa.field(field.name, kind, metadata={"description": description})
