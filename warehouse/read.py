"""Opening the published warehouse to read."""

from __future__ import annotations

from pathlib import Path

import duckdb

from warehouse import WarehouseError
from warehouse.build import FILE, SCHEMA_VERSION

READER: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "lock_configuration": "true",
}


class NoWarehouse(WarehouseError):
    """The home holds no published warehouse, or one of another version."""


class SqlRefused(WarehouseError):
    """The query is wrong or asks for what a reader may not do."""


def open_warehouse(home: Path) -> duckdb.DuckDBPyConnection:
    """Open ``home/warehouse.duckdb`` read-only, without access to other files or the network.

    Raises `NoWarehouse` with what to run.
    """
    path = home / FILE
    if not path.exists():
        raise NoWarehouse(f"{home} holds no warehouse; run: hubatlas --home {home} build")
    try:
        db = duckdb.connect(path, read_only=True, config=READER)
        version = db.execute("select schema_version from build").fetchone()
    except duckdb.Error as broken:
        reason = str(broken).split("\n", 1)[0]
        raise NoWarehouse(f"{path} cannot be opened ({reason}); build it anew") from broken
    if version is None or version[0] != SCHEMA_VERSION:
        db.close()
        raise NoWarehouse(f"{path} is of another version; run: hubatlas --home {home} build")
    return db


def run_query(db: duckdb.DuckDBPyConnection, sql: str) -> duckdb.DuckDBPyConnection:
    """Run one statement for a person; raises `SqlRefused` with the database's own words."""
    try:
        if len(duckdb.extract_statements(sql)) != 1:
            raise SqlRefused("give one SQL statement at a time")
        return db.cursor().execute(sql)
    except duckdb.Error as refused:
        raise SqlRefused(" ".join(str(refused).split())) from refused
