"""The landing tables: what raw files are unpacked into, column by column, and how rows get there.

``landing.record`` holds the newest record of each repo alone; what moves between looks is kept of
every record in ``landing.look``. Of facets that replace each other the newest answer is kept, of
commits every answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import duckdb
import pyarrow as pa

# Kinds of columns that SQL spells at length; of its own DuckDB leaves long texts uncompressed.
KINDS = {
    "FILE[]": "struct(path varchar, size_bytes bigint, blob_id varchar, lfs_sha256 varchar)[]",
    "LONGTEXT": "varchar using compression zstd",
    "LONGJSON": "json using compression zstd",
}
TABLES = {
    "raw_file": "name varchar, facet varchar, byte_count bigint, envelope_count bigint",
    "record": """
        raw_file varchar, position bigint, sweep_id bigint, fetched_at timestamp,
        repo_id varchar, hub_id varchar, author varchar, commit_sha varchar, created_at timestamp,
        last_modified_at timestamp, pipeline_tag varchar, library_name varchar, license varchar,
        model_type varchar, architecture varchar, parameter_count bigint,
        used_storage_bytes bigint, downloads_30d bigint, downloads_all_time bigint,
        likes_count bigint, trending_score double, gated varchar, is_private boolean,
        is_disabled boolean, tags varchar[], base_models varchar[], files FILE[],
        local_path varchar, card_data LONGJSON, other_fields LONGJSON, problems varchar[]""",
    "look": """
        raw_file varchar, position bigint, sweep_id bigint, observed_at timestamp,
        repo_id varchar, hub_id varchar, commit_sha varchar, last_modified_at timestamp,
        downloads_30d bigint, downloads_all_time bigint, likes_count bigint, trending_score double,
        gated varchar, is_private boolean, is_disabled boolean, license varchar,
        base_models varchar[]""",
    "answer": """
        raw_file varchar, position bigint, facet varchar, repo_id varchar, revision varchar,
        page bigint, path varchar, url varchar, url_shape varchar, final_url varchar,
        endpoint varchar, status bigint, failure varchar, error_code varchar, etag varchar,
        repo_commit varchar, fetched_at timestamp, run_id bigint, sweep_id bigint,
        body_sha256 varchar, client varchar, query_file boolean""",
    "card": """
        raw_file varchar, position bigint, repo_id varchar, revision varchar, repo_commit varchar,
        status bigint, fetched_at timestamp, text LONGTEXT, character_count bigint,
        front_matter LONGJSON""",
    "facet_page": """
        raw_file varchar, position bigint, facet varchar, repo_id varchar, revision varchar,
        repo_commit varchar, page bigint, path varchar, final_url varchar,
        status bigint, failure varchar, error_code varchar, fetched_at timestamp,
        answer LONGJSON""",
    "commit_page": """
        raw_file varchar, repo_id varchar, page bigint, known_commit varchar,
        fetched_at timestamp, is_read boolean""",
    "commit_entry": """
        raw_file varchar, repo_id varchar, page bigint, place bigint, position bigint,
        commit_sha varchar,
        title varchar, message varchar, committed_at timestamp, authors varchar[]""",
    "weight_file": """
        raw_file varchar, position bigint, repo_id varchar, revision varchar, repo_commit varchar,
        fetched_at timestamp, path varchar, format varchar, tensor_count bigint,
        parameter_count bigint, header_byte_count bigint, metadata json""",
    "tensor": """
        raw_file varchar, position bigint, tensor_name varchar, dtype varchar, shape bigint[],
        element_count bigint, byte_count bigint""",
    "journal": "raw_file varchar, facet varchar, fetched_at timestamp, entry json",
    "leak": """
        raw_file varchar, repo_id varchar, place varchar, kind varchar, mask varchar,
        count bigint""",
    "rejected": "source varchar, key varchar, stage varchar, reason varchar",
}
FILE_ARROW = pa.struct(
    {
        "path": pa.string(),
        "size_bytes": pa.int64(),
        "blob_id": pa.string(),
        "lfs_sha256": pa.string(),
    }
)
ARROW = {
    **dict.fromkeys(("varchar", "json", "timestamp", "LONGTEXT", "LONGJSON"), pa.string()),
    **{"bigint": pa.int64(), "double": pa.float64(), "boolean": pa.bool_()},
    **{"bigint[]": pa.list_(pa.int64()), "varchar[]": pa.list_(pa.string())},
    "FILE[]": pa.list_(FILE_ARROW),
}
MOST = 2**63

Row = dict[str, Any]


def create_landing(db: duckdb.DuckDBPyConnection) -> None:
    """Make the landing tables that are not there yet."""
    db.execute("create schema if not exists landing")
    for name, columns in TABLES.items():
        spelled = re.sub("|".join(map(re.escape, KINDS)), lambda kind: KINDS[kind[0]], columns)
        db.execute(f"create table if not exists landing.{name} ({spelled})")


def as_arrow(table: str, rows: list[Row]) -> pa.Table:
    """Rows as columns; a column that a row lacks, or has in another type, is null there."""
    kinds = _columns(table)
    schema = pa.schema([(name, ARROW[kind]) for name, kind in kinds.items()])
    try:
        return pa.table(pa.array(rows, pa.struct(list(schema))).flatten(), schema=schema)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        columns = [_column([row.get(name) for row in rows], kind) for name, kind in kinds.items()]
        return pa.table(columns, schema=schema)


def insert(
    db: duckdb.DuckDBPyConnection, table: str, called: Mapping[str, str] = MappingProxyType({})
) -> None:
    """Add the rows of the view ``incoming``; a time that cannot be read is null.

    ``called`` gives the names there of columns that are called otherwise.
    """
    chosen = ", ".join(
        f"try_cast({source} as timestamp)" if kind == "timestamp" else source
        for source, kind in ((called.get(name, name), k) for name, k in _columns(table).items())
    )
    columns = ", ".join(_columns(table))
    db.execute(f"insert into landing.{table} ({columns}) select {chosen} from incoming")  # noqa: S608


def _columns(table: str) -> dict[str, str]:
    return dict(column.split() for column in TABLES[table].split(","))


def _column(values: list[Any], kind: str) -> pa.Array:
    try:
        return pa.array(values, ARROW[kind])
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([_fitting(value, kind) for value in values], ARROW[kind])


def _fitting(value: Any, kind: str) -> Any:
    if kind in {"varchar", "json", "timestamp", "LONGTEXT", "LONGJSON"}:
        return value if isinstance(value, str) else None
    if kind == "bigint":
        return value if type(value) is int and -MOST <= value < MOST else None
    if kind == "varchar[]":
        texts = isinstance(value, list) and all(isinstance(one, str | None) for one in value)
        return value if texts else None
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    return value
