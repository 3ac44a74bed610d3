"""Asking as of a time: relations hidden, for one connection, by what was known of them then."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import duckdb

from warehouse import WarehouseError

SUFFIX = "_as_of"


class NothingAsOf(WarehouseError):
    """The warehouse has no macros that tell of a time."""


def shadow_as_of(db: duckdb.DuckDBPyConnection, as_of: datetime) -> list[str]:
    """Hide each relation ``NAME`` that has a table macro ``NAME_as_of(ts)`` by a temporary view.

    Returns the names, sorted; all others stay as they are now. The published file is not changed,
    and other connections see nothing of it. Raises `NothingAsOf`.
    """
    names = shadowed_names(db)
    if not names:
        raise NothingAsOf("this warehouse holds no NAME_as_of macros; run: hubatlas build")
    for statement in _unhidden_macros(db):
        db.execute(statement)
    for name in names:
        moment = as_of.isoformat(sep=" ")
        db.execute(f"create temp view {name} as from {name}{SUFFIX}(timestamp '{moment}')")
    return names


def shadowed_names(db: duckdb.DuckDBPyConnection) -> list[str]:
    """Relations of ``main`` that have a table macro ``NAME_as_of``."""
    found = db.execute(
        "select relation_name from (select table_name as relation_name from duckdb_tables()"
        " where schema_name = 'main' and not temporary union select view_name from duckdb_views()"
        " where schema_name = 'main' and not temporary and not internal)"
        " semi join duckdb_functions() as f on f.function_name = relation_name || ?"
        " and f.function_type = 'table_macro' and not f.internal order by relation_name",
        [SUFFIX],
    )
    return [name for (name,) in found.fetchall()]


def as_of_notice(as_of: datetime, names: list[str]) -> str:
    """One sentence on what is shown as of a time, and what is not."""
    return f"as known at {as_of} UTC: {', '.join(names)}; all else is as it is now"


def _unhidden_macros(db: duckdb.DuckDBPyConnection) -> Iterator[str]:
    # A macro's ``main.model`` would find the temporary view that hides it, and that view the macro
    # again; temporary macros that name the file as well reach past it.
    file = db.execute("select current_database()").fetchall()[0][0]
    found = db.execute(
        "select function_name, parameters, json_serialize_sql(macro_definition)"
        " from duckdb_functions() where function_type = 'table_macro' and not internal"
        " and database_name = ? order by function_name",
        [file],
    )
    for name, parameters, serialized in found.fetchall():
        syntax = json.loads(serialized)
        _name_the_file(syntax, file)
        text = db.execute("select json_deserialize_sql(?::json)", [json.dumps(syntax)]).fetchall()
        yield f"create temp macro {name}({', '.join(parameters)}) as table {text[0][0]}"


def _name_the_file(syntax: Any, file: str) -> None:
    if isinstance(syntax, list):
        for part in syntax:
            _name_the_file(part, file)
    elif isinstance(syntax, dict):
        if syntax.get("type") == "BASE_TABLE" and syntax["schema_name"] == "main":
            syntax["catalog_name"] = file
            syntax["qualified_name"] = {"path": [file, "main", syntax["table_name"]]}
        for part in syntax.values():
            _name_the_file(part, file)
