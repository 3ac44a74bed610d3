"""A listed record, read once: typed columns, and everything else as it came.

The only place, beside the facets' SQL, that knows how the Hub spells its fields. What is missing is
left out; what is there but is not what its column holds is told as a problem and stays, as it came,
among the rest.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import orjson

Row = dict[str, Any]

SAFE_ID = re.compile(r"[\w.\-]+(/[\w.\-]+)?", re.ASCII)
MOST = 2**53  # what a JSON number holds exactly; far beyond any count
EARLIEST = "2000"
SLACK = timedelta(days=1)  # clocks differ
RELATION = re.compile(r"base_model:(?:(?:finetune|adapter|quantized|merge):)?")


def refusal(record: Any) -> str | None:
    """Why a listed record can be no model; None where it can.

    The rule for ids is the crawler's: what can stand in a URL as one or two plain segments.
    """
    if not isinstance(record, dict):
        return "record is not an object"
    repo_id = record.get("id")
    if repo_id is None:
        return "record has no id"
    safe = isinstance(repo_id, str) and len(repo_id) <= 300 and SAFE_ID.fullmatch(repo_id)
    return None if safe and not {".", ".."} & set(repo_id.split("/")) else "malformed repo id"


def read_record(record: Row, *, fetched_at: str | None) -> Row:
    """The columns of a record that `refusal` lets pass.

    Parameters
    ----------
    record
        As the Hub lists it.
    fetched_at
        ISO time of the answer; what a record dates a day later than that is a problem.

    Returns
    -------
    Columns of ``landing.record``, those without a value left out: ``tags`` without doubles,
    ``files`` as rows with distinct paths, ``card_data`` and ``other_fields`` as JSON text,
    ``problems`` as sentences.
    """
    rest = {name: value for name, value in record.items() if value is not None}
    row: Row = {"repo_id": rest.pop("id"), "hub_id": record["id"]}
    if problems := _take_columns(rest, row, latest=_latest(fetched_at)):
        row["problems"] = problems
    if "tags" in row:
        row |= _from_tags(row["tags"])
    row |= _from_nested(record)
    if isinstance(card := rest.get("cardData"), dict):
        row["card_data"] = orjson.dumps(rest.pop("cardData")).decode()
        row["license"] = row.get("license") or _text(card.get("license"))
    if rest:
        row["other_fields"] = orjson.dumps(rest).decode()
    return row


def _take_columns(rest: Row, row: Row, *, latest: str | None) -> list[str]:
    """Move fields to their columns; one that is not what it should be stays, and is told of."""
    problems = []
    for column, (field, kind) in COLUMNS.items():
        value = rest.pop(field, None)
        if value is None:
            continue
        read = READERS[kind](value)
        if read is not None and (kind != "time" or latest is None or read <= latest):
            row[column] = read
            continue
        rest[field] = value
        shown = "" if kind in {"names", "files"} else f": {_short(value)}"
        problems.append(f"{field} is no {MEANING[kind]}{shown}")
    return problems


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _gate(value: Any) -> str | None:
    """``false``, or by whom access is granted: ``auto``, ``manual``."""
    return str(value).lower() if isinstance(value, bool) else _text(value)


def _count(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value < MOST else None


def _number(value: Any) -> float | None:
    return float(value) if type(value) in {int, float} else None


def _time(value: Any) -> str | None:
    """The time as it is written, where it is one and not before there were model hubs."""
    if not isinstance(value, str) or value < EARLIEST:
        return None
    try:
        moment = datetime.fromisoformat(value)
        return value if moment.tzinfo in {None, UTC} else moment.astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        return None


def _names(value: Any) -> list[str] | None:
    if not isinstance(value, list):
        return None
    return list(dict.fromkeys([name for name in value if isinstance(name, str)]))


def _files(value: Any) -> list[Row] | None:
    if not isinstance(value, list):
        return None
    found: dict[str, Row] = {}
    for entry in value:
        path = entry.get("rfilename") if isinstance(entry, dict) else None
        if isinstance(path, str) and path not in found:
            found[path] = {"path": path} if len(entry) == 1 else _file(path, entry)
    return list(found.values())


def _file(path: str, entry: Row) -> Row:
    lfs = entry.get("lfs")
    return {
        "path": path,
        "size_bytes": _count(entry.get("size")),
        "blob_id": _text(entry.get("blobId")),
        "lfs_sha256": _text(lfs.get("sha256")) if isinstance(lfs, dict) else None,
    }


def _from_tags(tags: list[str]) -> Row:
    licenses = [tag[8:] for tag in tags if tag.startswith("license:")]
    bases = {RELATION.sub("", tag, count=1) for tag in tags if tag.startswith("base_model:")}
    return {"license": licenses[0] if licenses else None, "base_models": sorted(bases)}


def _from_nested(record: Row) -> Row:
    """What columns hold of fields that stay whole among the rest."""
    found: Row = {}
    config = record.get("config")
    if isinstance(config, dict):
        found["model_type"] = _text(config.get("model_type"))
        architectures = config.get("architectures")
        if isinstance(architectures, list) and architectures:
            found["architecture"] = _text(architectures[0])
    for field in ("gguf", "safetensors"):
        stated = record.get(field)
        if isinstance(stated, dict) and (total := _count(stated.get("total"))) is not None:
            found["parameter_count"] = total
    return found


@lru_cache(16)  # a page of a thousand records has one time
def _latest(fetched_at: str | None) -> str | None:
    try:
        return (datetime.fromisoformat(fetched_at or "") + SLACK).isoformat()
    except (ValueError, OverflowError):
        return None


def _short(value: Any) -> str:
    return (value if isinstance(value, str) else orjson.dumps(value).decode())[:80]


READERS: dict[str, Callable[[Any], Any]] = {
    "text": _text,
    "flag": _flag,
    "gate": _gate,
    "count": _count,
    "number": _number,
    "time": _time,
    "names": _names,
    "files": _files,
}
MEANING = {
    "text": "text",
    "flag": "true or false",
    "gate": "gate",
    "count": "count",
    "number": "number",
    "time": "time",
    "names": "list",
    "files": "list",
}
# Column: how the Hub spells it, and what it holds.
COLUMNS = {
    "hub_id": ("_id", "text"),
    "author": ("author", "text"),
    "commit_sha": ("sha", "text"),
    "created_at": ("createdAt", "time"),
    "last_modified_at": ("lastModified", "time"),
    "pipeline_tag": ("pipeline_tag", "text"),
    "library_name": ("library_name", "text"),
    "used_storage_bytes": ("usedStorage", "count"),
    "downloads_30d": ("downloads", "count"),
    "downloads_all_time": ("downloadsAllTime", "count"),
    "likes_count": ("likes", "count"),
    "trending_score": ("trendingScore", "number"),
    "gated": ("gated", "gate"),
    "is_private": ("private", "flag"),
    "is_disabled": ("disabled", "flag"),
    "tags": ("tags", "names"),
    "files": ("siblings", "files"),
    "local_path": ("localPath", "text"),
}
