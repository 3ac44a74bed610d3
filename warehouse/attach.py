"""SQL that makes the warehouse's relations and macros over the plain files of an export."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

from warehouse import WarehouseError
from warehouse.as_of import macro_statements
from warehouse.export import FORMAT, Manifest, file_sha256, read_manifest
from warehouse.export_columns import quoted
from warehouse.finding import BROKEN, GOOD, Finding


class AttachRefused(WarehouseError):
    """The file to be written is there already."""


class AttachFailed(WarehouseError):
    """A file of the export cannot be read, or the disk is full."""


def attach_statements(folder: Path, *, kind: str = "view") -> Iterator[str]:
    """Statements that make each relation, with its comments, then the macros.

    Parameters
    ----------
    folder
        An export.
    kind
        ``view``: over the files where they are; ``table``: a copy of their rows.

    Raises
    ------
    ExportRefused
        The folder is no export.

    """
    manifest = read_manifest(folder)
    for name, relation in manifest["relations"].items():
        yield _create(folder.resolve(), kind, name, relation)
        yield f"comment on {kind} {quoted(name)} is {_text(relation['comment'])}"
        for column in relation["columns"]:
            if column["description"]:
                at = f"{quoted(name)}.{quoted(column['name'])}"
                yield f"comment on column {at} is {_text(column['description'])}"
    yield _build(kind, manifest)
    yield from macro_statements()


def attach_to(folder: Path, path: Path) -> Path:
    """Write an export as one DuckDB file that needs nothing else; returns its path.

    Raises `ExportRefused`, `AttachRefused`, `AttachFailed`; the file is whole or absent.
    """
    if path.exists():
        raise AttachRefused(f"{path} is there already; name another file")
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    try:
        with duckdb.connect(part) as db:
            for statement in attach_statements(folder, kind="table"):
                db.execute(statement)
        part.rename(path)
    except duckdb.Error as broken:
        told = re.split("[Ee]rror: ", str(broken))[-1].splitlines()[0]
        raise AttachFailed(f"{told}; {path} was not written") from broken
    finally:
        for left in (part, part.with_name(f"{part.name}.wal")):
            left.unlink(missing_ok=True)
    return path


def check_export(folder: Path) -> Iterator[Finding]:
    """Compare each file of an export with its manifest; raises `ExportRefused` where it is none."""
    good = 0
    for relation in read_manifest(folder)["relations"].values():
        for file in relation["files"]:
            fault = _fault(folder / file["path"], file)
            good += fault is None
            if fault is not None:
                yield Finding("export", BROKEN, f"{file['path']} {fault}; export it anew")
    yield Finding("export", GOOD, f"{good:,} files are as the manifest tells")


def _fault(path: Path, told: dict[str, Any]) -> str | None:
    if not path.exists():
        return "is missing"
    same = path.stat().st_size == told["bytes"] and file_sha256(path) == told["sha256"]
    return None if same else "is not as it was exported"


def _create(folder: Path, kind: str, name: str, relation: dict[str, Any]) -> str:
    columns = ",\n    ".join(map(_column, relation["columns"]))
    files = ",\n    ".join(_text(str(folder / file["path"])) for file in relation["files"])
    return (
        f"create or replace {kind} {quoted(name)} as\nselect\n    {columns}\n"
        f"from read_parquet([\n    {files}\n])"
    )


def _column(column: dict[str, Any]) -> str:
    name, kind = quoted(column["name"]), column["type"]
    if not column["stored"]:
        return f"cast(null as {kind}) as {name}"
    if kind == "timestamp":
        return f"timezone('UTC', {name}) as {name}"
    return f"cast({name} as {kind}) as {name}"


def _build(kind: str, manifest: Manifest) -> str:
    # No version that a build would go on from: it has raw files to start with, or nothing.
    version = f"{FORMAT}, schema {manifest['schema_version']}"
    at = _text(manifest["data_as_of"]) if manifest["data_as_of"] else "null"
    return (
        f"create or replace {kind} build as select {_text(version)} as schema_version,"
        f" cast({at} as timestamp) as data_as_of"
    )


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
