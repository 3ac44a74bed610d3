"""The public hub-stats listing: a parquet file of all models, given back as API records.

The file's types have changed over the years (JSON text, structs, maps and lists for the same
column), so types are taken as they come and only what is known by name is respelled.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from crawler.doors import DoorRefused, api_time

PAGE_RECORDS = 1000
READ_BYTES = 2**20
NESTED = frozenset(
    {
        *("cardData", "config", "safetensors", "gguf", "baseModels", "childrenModelCount"),
        *(
            "transformersInfo",
            "model-index",
            "widgetData",
            "evalResults",
            "inferenceProviderMapping",
        ),
        *("resourceGroup", "siblings", "tags", "spaces"),
    }
)
FLAGS = frozenset({"gated", "private", "disabled"})
COUNTS = frozenset({"downloads", "downloadsAllTime", "likes", "usedStorage"})
TIMES = frozenset({"createdAt", "lastModified"})

Record = dict[str, Any]
Types = dict[str, pa.DataType]


def hub_stats(path: Path, *, page_records: int = PAGE_RECORDS) -> Iterator[list[Record]]:
    """Read a hub-stats ``models.parquet`` as pages of a listing, memory flat.

    Columns of other names pass through. Missing is what the API would leave out: nulls, NaN,
    structs without a member. A row without an id is given as it is, for whoever rejects it.

    Raises
    ------
    DoorRefused
        No parquet, no column ``id``, or not readable to its end (after the pages before).
    """
    for types, rows in _batches(path, page_records):
        yield [_record(row, types) for row in rows]


def _batches(path: Path, size: int) -> Iterator[tuple[Types, list[Record]]]:
    given = 0
    try:
        with pq.ParquetFile(path, pre_buffer=False, buffer_size=READ_BYTES) as listing:
            types = {field.name: field.type for field in listing.schema_arrow}
            _check_columns(path, types)
            for batch in listing.iter_batches(batch_size=size):
                yield types, batch.to_pylist()
                given += batch.num_rows
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        where = f"after {given:,} records" if given else "as parquet"
        reason = str(error).partition("\n")[0]
        raise DoorRefused(f"{path} cannot be read {where}: {reason}") from error


def _check_columns(path: Path, types: Types) -> None:
    if "id" not in types:
        raise DoorRefused(f"{path} has no column id; is it the models.parquet of hub-stats?")


def _record(row: Record, types: Types) -> Record:
    values = ((name, _respelled(name, _plain(row[name], types[name]))) for name in row)
    return {name: value for name, value in values if value is not None}


def _plain(value: Any, kind: pa.DataType) -> Any:
    """An Arrow value as JSON would hold it; None for what says nothing."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if pa.types.is_struct(kind):
        return _kept((f.name, _plain(value[f.name], f.type)) for f in kind) or None
    if pa.types.is_map(kind):
        return _kept((str(key), _plain(member, kind.item_type)) for key, member in value)
    if isinstance(value, list):
        members = (_plain(member, kind.value_type) for member in value)
        return [member for member in members if member is not None]
    return _as_text(value)


def _kept(members: Any) -> Record:
    return {name: value for name, value in members if value is not None}


def _as_text(value: Any) -> str:
    if isinstance(value, datetime):
        return api_time(value)
    if isinstance(value, date):
        return value.isoformat()
    # Old writers leave text untyped.
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


def _respelled(name: str, value: Any) -> Any:
    if name in NESTED and isinstance(value, str):
        value = _parsed(value)
    if name == "siblings" and isinstance(value, list):
        return [{"rfilename": file} if isinstance(file, str) else file for file in value]
    if name in FLAGS and isinstance(value, str):
        return {"true": True, "false": False, "": None, "none": None}.get(value.lower(), value)
    if name in COUNTS and isinstance(value, float) and value.is_integer():
        return int(value)  # a column with gaps was written as floats
    return _time_text(value) if name in TIMES and isinstance(value, str) else value


def _parsed(text: str) -> Any:
    if text[:1] not in ("{", "["):
        return None if text in ("", "null") else text
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return _parsed_with_nan(text)


def _parsed_with_nan(text: str) -> Any:
    # Python writes NaN and Infinity, which no JSON has and the API gives as null.
    try:
        return json.loads(text, parse_constant=lambda _: None)
    except (json.JSONDecodeError, RecursionError):
        return text


def _time_text(text: str) -> str:
    try:
        return api_time(datetime.fromisoformat(text))
    except ValueError:
        return text
