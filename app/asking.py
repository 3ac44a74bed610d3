"""The commands that ask the warehouse: sql."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import duckdb
import typer

from app import AppError
from app.terminal import say, write_parquet, write_rows

if TYPE_CHECKING:
    from warehouse.guard import Answer

Value = str | int | float | date | bool | None


class WrongParameter(AppError):
    """A ``--param`` or a time that cannot be read."""


class Style(StrEnum):
    """How rows are written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    MARKDOWN = "markdown"
    PARQUET = "parquet"


PARAM_HELP = (
    "NAME=VALUE for $NAME in the query, or NAME:TYPE=VALUE with text, integer, number, date,"
    " timestamp or boolean; null is NULL. Repeatable."
)
Params = Annotated[list[str] | None, typer.Option("--param", metavar="NAME=VALUE", help=PARAM_HELP)]
Format = Annotated[Style, typer.Option("--format", help="parquet wants --out.")]
Out = Annotated[
    Path | None, typer.Option("--out", help="Write to this file instead.", dir_okay=False)
]
AsOf = Annotated[
    str | None,
    typer.Option("--as-of", metavar="TIME", help="Ask what was known at this UTC time."),
]
Safe = Annotated[
    bool,
    typer.Option(
        "--safe", help="For SQL of strangers: one SELECT, within limits of time, memory and size."
    ),
]


def sql(
    ctx: typer.Context,
    query: Annotated[
        str | None, typer.Argument(help="One SQL statement; - reads it from stdin.")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", "-f", help="Read the statement from a file.", dir_okay=False),
    ] = None,
    param: Params = None,
    style: Format = Style.TABLE,
    out: Out = None,
    as_of: AsOf = None,
    safe: Safe = False,
) -> None:
    """Ask the warehouse in SQL.

    It is opened read-only, and a query reaches no files and no network.
    """
    statement = _statement(query, file)
    write_answer(
        ctx.obj,
        statement,
        parameters=parse_parameters(param or []),
        style=style,
        out=out,
        as_of=None if as_of is None else parse_time(as_of),
        safe=safe,
    )


def write_answer(
    home: Path,
    statement: str,
    *,
    parameters: dict[str, Value],
    style: Style = Style.TABLE,
    out: Path | None = None,
    as_of: datetime | None = None,
    safe: bool = False,
) -> None:
    """Run one statement on the newest warehouse and write its rows to ``out``, or to stdout.

    Notices go to stderr. Raises what `warehouse.read.run_query` and `warehouse.guard.ask` do.
    """
    if style is Style.PARQUET and out is None:
        raise typer.BadParameter("parquet wants a file: give --out FILE")
    with _stopping():
        if safe:
            _write_guarded(home, statement, parameters, style, out, as_of)
        else:
            _write_plain(home, statement, parameters, style, out, as_of)


def parse_parameters(given: Sequence[str]) -> dict[str, Value]:
    """Values by name out of ``NAME=VALUE`` and ``NAME:TYPE=VALUE``; raises `WrongParameter`.

    Without a type, what reads as a whole or decimal number, as an ISO date or as a time is one, the
    word null is None, and all else is text. Times are UTC.
    """
    return dict(_parameter(text) for text in given)


def parse_time(text: str) -> datetime:
    """A UTC time without zone out of an ISO date or time; raises `WrongParameter`."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise WrongParameter(f"{text} is no time; write 2026-01-31 or 2026-01-31T12:00") from None
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _statement(query: str | None, file: Path | None) -> str:
    if (query is None) == (file is None):
        raise typer.BadParameter("give one statement: as an argument, with -f FILE, or - for stdin")
    if file is not None:
        return _decoded(file.read_bytes())
    return _decoded(sys.stdin.buffer.read()) if query == "-" else str(query)


def _decoded(text: bytes) -> str:
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as broken:
        raise WrongParameter(f"the statement is no UTF-8: {broken}; save it as UTF-8") from None


def _parameter(text: str) -> tuple[str, Value]:
    found = re.fullmatch(r"(\w+)(?::(\w+))?=(.*)", text, re.S)
    if not found:
        raise WrongParameter(f"{text} is no parameter; write NAME=VALUE")
    name, kind, value = found.groups()
    if kind is None:
        return name, _guessed(value)
    if kind not in KINDS:
        raise WrongParameter(f"{kind} is no type; there are {', '.join(KINDS)}")
    if value == "null" and kind != "text":
        return name, None
    try:
        return name, KINDS[kind](value)
    except ValueError:
        raise WrongParameter(f"{name}: {value} is no {kind}") from None


def _guessed(value: str) -> Value:
    if value == "null":
        return None
    # 007 is a name, not seven.
    if re.fullmatch(r"[+-]?(0|[1-9]\d{0,17})", value):
        return int(value)
    if re.fullmatch(r"[+-]?(0|[1-9]\d{0,14})(\.\d{1,15})?(e[+-]?\d{1,2})?", value, re.I):
        return float(value)
    for pattern, read in ((r"\d{4}-\d\d-\d\d", date.fromisoformat), (_TIME, parse_time)):
        try:
            if re.fullmatch(pattern, value):
                return read(value)
        except (ValueError, WrongParameter):
            break
    return value


def _boolean(value: str) -> bool:
    if value not in {"true", "false"}:
        raise ValueError(value)
    return value == "true"


_TIME = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?"
KINDS: dict[str, Callable[[str], Value]] = {
    "text": str,
    "integer": int,
    "number": float,
    "date": date.fromisoformat,
    "timestamp": parse_time,
    "boolean": _boolean,
}


def _write_plain(
    home: Path,
    statement: str,
    parameters: dict[str, Value],
    style: Style,
    out: Path | None,
    as_of: datetime | None,
) -> None:
    from warehouse.read import open_warehouse, read_batches, run_query
    from warehouse.shadowing import as_of_notice, shadowed_names

    with open_warehouse(home) as db:
        if as_of is not None and (names := shadowed_names(db)):
            say(as_of_notice(as_of, names))
        if style is Style.PARQUET:
            batches = read_batches(db, statement, parameters=parameters, as_of=as_of)
            with _opened(out) as to:
                write_parquet(batches, to)
            return
        rows = run_query(db, statement, parameters=parameters, as_of=as_of)
        with _opened(out) as to:
            write_rows(rows, style.value, to)


def _write_guarded(
    home: Path,
    statement: str,
    parameters: dict[str, Value],
    style: Style,
    out: Path | None,
    as_of: datetime | None,
) -> None:
    from warehouse.guard import ask

    answer = ask(home, statement, parameters=parameters, as_of=as_of)
    with _opened(out) as to:
        _write_table_of(answer, style, to)
    for notice in answer.notices:
        say(notice)


def _write_table_of(answer: Answer, style: Style, to: BinaryIO) -> None:
    from warehouse.read import read_batches

    with answer.opened() as db:
        if style is Style.PARQUET:
            write_parquet(read_batches(db, "from answer"), to)
        else:
            write_rows(db.execute("from answer"), style.value, to)


@contextmanager
def _opened(out: Path | None) -> Iterator[BinaryIO]:
    """Stdout, or a file that is whole or absent."""
    if out is None:
        yield sys.stdout.buffer
        return
    part = out.with_name(out.name + ".part")
    try:
        with part.open("wb") as to:
            yield to
        part.rename(out)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _stopping() -> Iterator[None]:
    try:
        yield
    except (KeyboardInterrupt, duckdb.InterruptException):
        say("stopped")
        raise typer.Exit(130) from None
