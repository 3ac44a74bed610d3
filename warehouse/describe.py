"""What a published warehouse says of itself: relations, macros, columns, from its own COMMENTs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import Any

import duckdb

from warehouse import WarehouseError
from warehouse.header import Header, Reference, read_header

Connection = duckdb.DuckDBPyConnection


class NoRelation(WarehouseError):
    """The warehouse holds no relation of this name."""


@dataclass(frozen=True)
class Column:
    """A column of a relation; its description is empty where the file has none."""

    name: str
    type: str
    description: str


@dataclass(frozen=True)
class Described:
    """A relation as the file tells of it.

    Attributes
    ----------
    kind
        ``table``, ``view`` or ``macro``: a relation that is asked with values, as
        ``from model_as_of('2026-01-31')``.
    parameters
        What a macro is asked with; empty for the others.
    """

    name: str
    kind: str
    header: Header
    columns: tuple[Column, ...]
    parameters: tuple[str, ...] = ()

    @property
    def call(self) -> str:
        """How a query names it."""
        return f"{self.name}({', '.join(self.parameters)})" if self.kind == "macro" else self.name

    def as_json(self) -> dict[str, Any]:
        """Plain values, for a file or another program."""
        fields = self.header.fields
        return {
            "name": self.name,
            "kind": self.kind,
            "parameters": list(self.parameters),
            "comment": self.header.sentence,
            "grain": list(self.header.grain),
            "source": fields.get("Source"),
            "ref": fields.get("Ref"),
            "columns": [asdict(column) for column in self.columns],
            "references": [asdict(reference) for reference in self.header.references],
        }

    def as_markdown(self, *more: str) -> str:
        """A section of a page, under a heading of the second level; ``more`` are further facts."""
        told = [f"Asked as: `from {self.call}`"] if self.kind == "macro" else []
        told += [f"{what}: {said}" for what, said in self.header.fields.items()]
        told += [f"References: {_linked(reference)}" for reference in self.header.references]
        rows = (
            f"| `{column.name}` | {column.type} | {column.description.replace('|', '&#124;')} |"
            for column in self.columns
        )
        parts = (
            f"## {self.name}",
            self.header.sentence,
            "  \n".join([*told, *more]),
            "\n".join(["| column | type | meaning |", "|---|---|---|", *rows]),
        )
        return "\n\n".join(parts) + "\n"


def describe_all(db: Connection) -> list[Described]:
    """All tables and views that a reader finds in the file, by name, then all macros."""
    columns: dict[str, list[Column]] = {}
    for relation, *column in db.execute(COLUMNS).fetchall():
        columns.setdefault(relation, []).append(Column(*column))
    relations = [
        Described(name, kind, read_header(comment), tuple(columns[name]))
        for name, kind, comment in db.execute(RELATIONS).fetchall()
    ]
    return relations + [_macro(db, *row) for row in db.execute(MACROS).fetchall()]


def describe(db: Connection, name: str) -> Described:
    """One relation; raises `NoRelation` with the names that are like it."""
    known = {described.name: described for described in describe_all(db)}
    if name not in known:
        begun = [other for other in known if other.startswith(name.lower())]
        near = begun[:3] or get_close_matches(name.lower(), known, n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else "hubatlas describe lists them"
        raise NoRelation(f"no relation is called {name!r}; {hint}")
    return known[name]


def row_count(db: Connection, relation: Described) -> int | None:
    """How many rows a table or view has; None for a macro, whose rows depend on what it is asked.

    A view is run for it.
    """
    if relation.kind == "macro":
        return None
    counted = db.execute(f"select count(*) from main.{relation.name}").fetchone()  # noqa: S608
    return int(counted[0]) if counted else 0


def _macro(db: Connection, name: str, comment: str, parameters: list[str]) -> Described:
    header = read_header(comment)
    nothing = ", ".join(["null"] * len(parameters))
    columns = tuple(
        Column(column, kind.lower(), header.columns.get(column, ""))
        for column, kind, *_ in db.execute(f"describe from main.{name}({nothing})").fetchall()
    )
    return Described(name, "macro", header, columns, tuple(parameters))


def _linked(reference: Reference) -> str:
    columns, target = ", ".join(reference.columns), ", ".join(reference.target_columns)
    named = "" if target == columns else f" ({target})"
    says = "" if reference.dangling is None else f"; {reference.dangling}"
    return f"{columns} → [{reference.relation}](#{reference.relation}){named}{says}"


RELATIONS = """
select table_name as name, 'table' as kind, coalesce(comment, '') as comment
from duckdb_tables()
where schema_name = 'main' and database_name = current_database() and not internal
    and not temporary
union all
select view_name as name, 'view' as kind, coalesce(comment, '') as comment
from duckdb_views()
where schema_name = 'main' and database_name = current_database() and not internal
    and not temporary
order by name
"""
COLUMNS = """
select table_name, column_name, lower(data_type), coalesce(comment, '')
from duckdb_columns()
where schema_name = 'main' and database_name = current_database() and not internal
order by table_name, column_index
"""
MACROS = """
select function_name, coalesce(comment, ''), parameters
from duckdb_functions()
where schema_name = 'main' and database_name = current_database() and not internal
    and function_type = 'table_macro'
order by function_name
"""
