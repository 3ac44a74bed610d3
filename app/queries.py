"""The command ``query``: the library of named questions, listed, shown and asked."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import duckdb
import typer

from app.asking import Format, Out, Style, WrongParameter, write_answer
from app.terminal import say, write_rows

LIST = "select unnest($query) as query, unnest($params) as params, unnest($question) as question"


def query(
    ctx: typer.Context,
    name: Annotated[
        str | None, typer.Argument(help="A query of the library; all are listed where none is.")
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option("--param", metavar="NAME=VALUE", help="Instead of a default. Repeatable."),
    ] = None,
    show_sql: Annotated[
        bool, typer.Option("--sql", help="Print the query, to change it, instead of asking it.")
    ] = False,
    style: Format = Style.TABLE,
    out: Out = None,
) -> None:
    """Ask a question that others have asked before.

    What to beware of in the answer is told on stderr.
    """
    from warehouse.query_library import read_query

    if name is None:
        if param or show_sql or out or style is Style.PARQUET:
            raise typer.BadParameter("name a query; hubatlas query lists all")
        _write_list(style)
        return
    asked = read_query(name)
    if show_sql:
        sys.stdout.write(asked.sql)
        return
    write_answer(
        ctx.obj,
        asked.sql,
        parameters={**asked.bind(_split(param or []))},
        style=style,
        out=out,
    )
    if asked.caveat:
        say(f"beware: {asked.caveat}")


def _write_list(style: Style) -> None:
    from warehouse.query_library import query_names, read_query

    listed = [read_query(name) for name in query_names()]
    columns = {
        "query": [one.name for one in listed],
        "params": [", ".join(param.name for param in one.params) for one in listed],
        "question": [one.question for one in listed],
    }
    with duckdb.connect() as db:
        write_rows(db.execute(LIST, columns), style.value)


def _split(params: Sequence[str]) -> dict[str, str]:
    given = {}
    for param in params:
        name, equals, value = param.partition("=")
        if not equals:
            raise WrongParameter(f"{param} is no parameter; write NAME=VALUE")
        given[name.removeprefix("$")] = value
    return given
