"""The command ``describe``: what the warehouse holds, relation by relation, column by column."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from app.terminal import print_table

if TYPE_CHECKING:
    import duckdb

    from warehouse.describe import Described


class Style(StrEnum):
    """How descriptions are written."""

    TABLE = "table"
    JSON = "json"
    MARKDOWN = "markdown"


def describe(
    ctx: typer.Context,
    relation: Annotated[
        str | None, typer.Argument(help="A table, view or macro; all where none is named.")
    ] = None,
    style: Annotated[Style, typer.Option("--format")] = Style.TABLE,
) -> None:
    """Tell what the warehouse holds: relations, columns, what joins to what.

    It is read from the published file, which says the same to any client of DuckDB.
    """
    from warehouse import describe as told
    from warehouse.read import open_warehouse

    with open_warehouse(ctx.obj) as db:
        if relation is not None:
            _write_one(told.describe(db, relation), style)
        else:
            _write_all(db, told.describe_all(db), style)


def _write_one(described: Described, style: Style) -> None:
    if style is Style.JSON:
        _write_json(described.as_json())
    elif style is Style.MARKDOWN:
        sys.stdout.write(described.as_markdown())
    else:
        sys.stdout.write(f"{described.call}\n\n{described.header.as_comment()}\n")
        rows = [(column.name, column.type, column.description) for column in described.columns]
        print_table(["column", "type", "description"], rows)


def _write_all(db: duckdb.DuckDBPyConnection, relations: list[Described], style: Style) -> None:
    if style is Style.MARKDOWN:
        sys.stdout.write("\n".join(described.as_markdown() for described in relations))
        return
    from warehouse.describe import row_count

    counts = {described.name: row_count(db, described) for described in relations}
    if style is Style.JSON:
        _write_json([{**one.as_json(), "row_count": counts[one.name]} for one in relations])
        return
    rows = [
        (one.call, ", ".join(one.header.grain), counts[one.name], one.header.first_sentence)
        for one in relations
    ]
    print_table(["relation", "grain", "rows", "a row is"], rows)


def _write_json(value: Any) -> None:
    sys.stdout.buffer.write(orjson.dumps(value, option=orjson.OPT_INDENT_2) + b"\n")
