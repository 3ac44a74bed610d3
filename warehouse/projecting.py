"""Queries around a query: the same rows, in types that the reader of them can take."""

from __future__ import annotations

import re
from collections.abc import Sequence

import duckdb

from warehouse import WarehouseError


class NotPortable(WarehouseError):
    """A column has a type that Parquet has not."""


def projected(
    sql: str, cells: Sequence[str], names: Sequence[str], measures: Sequence[str] = ()
) -> str:
    """A query around another: a cell over ``c0, c1, …`` for each of its columns, then measures."""
    listed = ", ".join(f"c{n}" for n in range(len(names)))
    quoted = ('"' + name.replace('"', '""') + '"' for name in names)
    shown = [f"{cell} as {name}" for cell, name in zip(cells, quoted, strict=True)]
    columns = ", ".join([*shown, *measures])
    return f"select {columns} from (\n{without_end(sql)}\n) as asked({listed})"  # noqa: S608


def without_zone(column: str, kind: str) -> str:
    """Expression for a column without time zones in its type, nested ones neither."""
    if "WITH TIME ZONE" not in kind:
        return column
    return f"cast({column} as {kind.replace(' WITH TIME ZONE', '')})"


def portable(column: str, kind: str) -> str:
    """Expression for a column in a type that Parquet has; raises `NotPortable`.

    Whole numbers of 128 bits become decimals of 38 digits, rare types text.
    """
    if found := re.fullmatch(r"U?HUGEINT((?:\[\d*\])*)", kind):
        return f"cast({column} as decimal(38, 0){found[1]})"
    if kind in {"BIT", "BIGNUM", "VARIANT", "TIME WITH TIME ZONE"}:
        return f"cast({column} as varchar)"
    if "HUGEINT" in kind:
        raise NotPortable(f"Parquet has no {kind}: cast its numbers of 128 bits to smaller ones")
    return without_zone(column, kind)


def without_end(sql: str) -> str:
    """A statement without the semicolons, and the comments, that follow it."""
    text, end = sql.encode(), None
    for position, token in reversed(duckdb.tokenize(sql)):
        if token != duckdb.token_type.comment and text[position : position + 1] != b";":
            break
        end = position
    return text[:end].decode()
