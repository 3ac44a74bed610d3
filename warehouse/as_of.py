"""Macros that ask the warehouse about a time: what was known then, and what has become of it.

Each is a file of ``sql_macros/`` with a header, stored in the published file as a table macro:
``from model_as_of('2026-01-31')``. A macro reads published relations only, named by their schema,
so that it works over an export too and under a view that hides one of them. A time is UTC, and a
day without hours is its beginning.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from itertools import takewhile

import duckdb

from warehouse.header import Header, read_header

# Those that others call come first.
MACROS = (
    "model_as_of",
    "base_model_edge_as_of",
    "license_as_of",
    "tombstone_as_of",
    "alias_as_of",
    "model_observation_as_of",
    "existence_at",
    "survival",
    "survival_curve",
)
PARAMETERS = "Parameters: "


@dataclass(frozen=True)
class Macro:
    """A table macro's SQL file: its name, its header and its SELECT."""

    name: str
    parameters: tuple[str, ...]
    header: Header
    sql: str

    def as_comment(self) -> str:
        """What the published file says of the macro, its columns included."""
        columns = "".join(f"\n  {name}: {said}" for name, said in self.header.columns.items())
        return f"{self.header.as_comment()}\nColumns:{columns}"


def read_macro(name: str) -> Macro:
    """Read ``sql_macros/name.sql``: the comment lines of its header, then a bare SELECT."""
    text = (resources.files("warehouse") / "sql_macros" / f"{name}.sql").read_text("utf-8")
    lines = [line[3:] for line in takewhile(lambda x: x.startswith("-- "), text.splitlines())]
    (given,) = (line for line in lines if line.startswith(PARAMETERS))
    lines.remove(given)
    parameters = tuple(given.removeprefix(PARAMETERS).split(", "))
    return Macro(name, parameters, read_header("\n".join(lines)), text)


def macro_statements() -> Iterator[str]:
    """The statements that make all macros, with their headers as comments."""
    for macro in map(read_macro, MACROS):
        parameters = ", ".join(macro.parameters)
        yield f"create or replace macro {macro.name}({parameters}) as table\n{macro.sql}"
        comment = macro.as_comment().replace("'", "''")
        yield f"comment on macro table {macro.name} is '{comment}'"


def create_macros(db: duckdb.DuckDBPyConnection) -> None:
    """Make all macros anew in the file that is open."""
    for statement in macro_statements():
        db.execute(statement)
