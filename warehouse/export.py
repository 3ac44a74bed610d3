"""The warehouse as plain files: Parquet, one folder a relation, and a manifest.

Equal raw files give equal bytes, whatever the order and number of builds: rows stand in the order
of the relation's grain, files and row groups are cut by count, and nothing tells when the export
was made. Only ``build.json``, which tells when the warehouse was built, differs.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any

import duckdb
import orjson

from warehouse import WarehouseError
from warehouse.build import FILE
from warehouse.describe import Described, describe_all
from warehouse.export_columns import LOCAL_MODELS, NOT_EXPORTED, Choice, select_rows, stored_columns
from warehouse.landing import Report
from warehouse.parquet import write_parts
from warehouse.pseudonym import create_pseudonym, salt_of
from warehouse.read import open_warehouse

FORMAT = "hubatlas export 1"
MANIFEST = "manifest.json"
BUILD = "build.json"
SPILL = ".spill"
MEMORY = "3GB"
NOTES = (
    "Times are UTC. JSON is text. Each relation is all files of its folder, in the order of its"
    " grain.",
    "Access tokens and e-mail addresses are masked wherever they stood.",
    "What people write (titles, messages, cards) may name people all the same.",
)

Connection = duckdb.DuckDBPyConnection
Manifest = dict[str, Any]


class Authors(StrEnum):
    """What becomes of the authors of commits and discussions."""

    PSEUDONYM = "pseudonym"
    KEEP = "keep"
    DROP = "drop"


class ExportRefused(WarehouseError):
    """The folder holds something that an export may not replace."""


class ExportBusy(WarehouseError):
    """Another export writes to the same folder."""


class ExportFailed(WarehouseError):
    """The warehouse cannot be read to its end, or the disk is full."""


def export(
    home: Path,
    folder: Path,
    *,
    authors: Authors = Authors.PSEUDONYM,
    card_text: bool = True,
    local: bool = False,
    replace: bool = False,
    report: Report = lambda label, done, total: None,
) -> Path:
    """Write the published warehouse of ``home`` to ``folder``.

    Parameters
    ----------
    home
        Folder of the crawl; the salt of pseudonyms is kept under its ``state``.
    folder
        Where the export shall be; it is whole or absent.
    authors
        What becomes of the authors of commits and discussions; owners of repos stay.
    card_text
        Whether cards come with their text.
    local
        Whether models that were imported from this machine, and rows that name them, come along.
    replace
        Whether an export that is there already may be replaced.
    report
        Called with (step, done, total or None).

    Returns
    -------
    Path of the manifest.

    Raises
    ------
    NoWarehouse, ExportRefused, ExportBusy, ExportFailed

    """
    open_warehouse(home).close()
    _refuse_what_is_not_ours(folder, replace=replace)
    _refuse_what_is_not_ours(_before(folder), replace=True)
    with _part(folder) as part:
        choice = Choice(authors=authors.value, card_text=card_text, local=local)
        try:
            with _connected(home, part / SPILL) as db:
                if authors is Authors.PSEUDONYM:
                    create_pseudonym(db, salt_of(home))
                _write(db, part, choice, report)
        except duckdb.Error as broken:
            told = str(broken).splitlines()[0]
            raise ExportFailed(f"{told}; nothing was exported") from broken
        shutil.rmtree(part / SPILL, ignore_errors=True)
        _sync(part)
        _publish(part, folder)
    return folder / MANIFEST


def read_manifest(folder: Path) -> Manifest:
    """The manifest of an export; raises `ExportRefused` where the folder is none."""
    try:
        manifest = orjson.loads((folder / MANIFEST).read_bytes())
    except (OSError, orjson.JSONDecodeError):
        manifest = None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ExportRefused(f"{folder} is no export of this version; name a folder that is one")
    return manifest


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(db: Connection, part: Path, choice: Choice, report: Report) -> None:
    db.execute(LOCAL_MODELS)
    told = [one for one in describe_all(db) if one.kind != "macro"]
    described = [one for one in told if one.name not in NOT_EXPORTED]
    relations = {}
    for done, one in enumerate(described):
        report("exporting", done, len(described))
        relations[one.name] = _write_relation(db, part, one, choice)
    report("exporting", len(described), len(described))
    version, built_at, data_as_of = _build(db)
    manifest = {
        "format": FORMAT,
        "schema_version": version,
        "data_as_of": data_as_of,
        **choice.as_json(),
        "not_exported": NOT_EXPORTED,
        "notes": NOTES,
        "relations": relations,
    }
    _write_json(part / MANIFEST, manifest)
    _write_json(part / BUILD, {"schema_version": version, "built_at": built_at})


def _write_relation(db: Connection, part: Path, one: Described, choice: Choice) -> Manifest:
    columns = stored_columns(one, choice)
    rows = db.sql(select_rows(one, columns, choice))
    files = write_parts(rows, part / one.name, columns)
    return {
        "comment": one.header.as_comment(),
        "grain": list(one.header.grain),
        "rows": sum(file.row_count for file in files),
        "columns": [column.as_json() for column in columns],
        "references": [str(reference) for reference in one.header.references],
        "files": [
            {
                "path": str(file.path.relative_to(part)),
                "rows": file.row_count,
                "bytes": file.path.stat().st_size,
                "sha256": file_sha256(file.path),
            }
            for file in files
        ],
    }


def _build(db: Connection) -> tuple[Any, ...]:
    row = db.execute(
        "select schema_version, built_at::varchar, data_as_of::varchar from main.build"
    ).fetchone()
    assert row is not None
    return row


def _connected(home: Path, spill: Path) -> Connection:
    return duckdb.connect(
        home / FILE,
        read_only=True,
        config={
            "memory_limit": MEMORY,
            "temp_directory": str(spill),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        },
    )


def _refuse_what_is_not_ours(folder: Path, *, replace: bool) -> None:
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    try:
        read_manifest(folder)
    except ExportRefused:
        raise ExportRefused(f"{folder} is there and is no export; name another folder") from None
    if not replace:
        raise ExportRefused(f"{folder} holds an export; add --replace, or name another folder")


@contextmanager
def _part(folder: Path) -> Iterator[Path]:
    """A folder beside the wanted one, that only one export can have; gone afterwards."""
    part = folder.with_name(f"{folder.name}.part")
    part.mkdir(parents=True, exist_ok=True)
    lock = os.open(part, os.O_RDONLY)
    try:
        _lock(lock, folder)
        _empty(part)
        try:
            yield part
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
    finally:
        os.close(lock)


def _lock(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ExportBusy(f"another export writes to {folder}; wait for it") from None


def _empty(part: Path) -> None:
    # A crash leaves the spill folder or, once that is gone, a manifest.
    left = sorted(part.iterdir(), key=lambda path: path.name == SPILL)
    if left and not {part / SPILL, part / MANIFEST} & set(left):
        raise ExportRefused(f"{part} is there and is not ours; move it away")
    (part / SPILL).mkdir(exist_ok=True)
    for path in left:
        if path.is_dir() and path.name != SPILL:
            shutil.rmtree(path)
        elif path.is_file():
            path.unlink()


def _publish(part: Path, folder: Path) -> None:
    before = _before(folder)
    if folder.exists():
        shutil.rmtree(before, ignore_errors=True)
        folder.rename(before)
    part.rename(folder)
    shutil.rmtree(before, ignore_errors=True)
    _sync_folder(folder.parent)


def _before(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.before")


def _sync(part: Path) -> None:
    for path in sorted(part.rglob("*")):
        _sync_folder(path)
    _sync_folder(part)


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_json(path: Path, content: Manifest) -> None:
    path.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2) + b"\n")
