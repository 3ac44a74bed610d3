"""Writing to a terminal: progress on stderr, data on stdout, hostile text made visible."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import duckdb
import orjson
from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column, Table
from rich.text import Text

TABLE_ROWS = 200
ROWS_AT_ONCE = 10_000
CELL_CHARACTERS = 300
PIPE_COLUMNS = 10_000  # no terminal, no width to keep to
# Control characters and those that reorder or hide text; a name must not move the cursor.
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")

Report = Callable[[str, int, int | None], None]


def printable(value: object) -> str:
    """Text for a terminal, with control and bidirectional characters escaped."""
    return UNSEEN.sub(lambda m: f"\\u{ord(m[0]):04x}", str(value)).replace("\n", "\\n")


def say(sentence: str) -> None:
    """Write one line to stderr."""
    sys.stderr.write(printable(sentence) + "\n")
    sys.stderr.flush()


@contextmanager
def progress_bars() -> Iterator[Report]:
    """Show each reported step as a bar on stderr; on no terminal, one line a finished step."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines()
        return
    columns = (TextColumn("{task.description:<22}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console) as bars:
        tasks: dict[str, int] = {}

        def report(label: str, done: int, total: int | None) -> None:
            if label not in tasks:
                tasks[label] = bars.add_task(label, total=total)
            bars.update(tasks[label], completed=done, total=total)  # type: ignore[arg-type]

        yield report


def write_rows(result: duckdb.DuckDBPyConnection, style: str) -> None:
    """Write a query's result to stdout as ``table``, ``csv`` or ``json`` (an array of objects)."""
    {"table": _write_table, "csv": _write_csv, "json": _write_json}[style](result)


def print_table(
    columns: list[str], rows: Sequence[tuple[object, ...]], title: str | None = None
) -> None:
    """Print rows as a table, or one under another where they are too wide; NULLs are empty."""
    console = Console() if sys.stdout.isatty() else Console(width=PIPE_COLUMNS)
    cells = [[Text(_cell(value)) for value in row] for row in rows]
    table = Table(
        *(Column(Text(column), no_wrap=True) for column in columns),
        title=title,
        title_justify="left",
    )
    for row in cells:
        table.add_row(*row)
    if _width(columns, cells) <= console.width:
        console.print(table)
    else:
        _print_upright(console, columns, cells, title)


def _print_upright(
    console: Console, columns: list[str], cells: list[list[Text]], title: str | None
) -> None:
    if title:
        console.print(Text(title, style="italic"))
    for row in cells:
        console.rule(style="dim")
        for column, cell in zip(columns, row, strict=True):
            console.print(Text(f"{column}: ", style="bold").append(cell), soft_wrap=True)


def _width(columns: list[str], cells: list[list[Text]]) -> int:
    widest = [max(cell_len(column), 1) for column in columns]
    for row in cells:
        widest = [max(have, cell.cell_len) for have, cell in zip(widest, row, strict=True)]
    return sum(widest) + 3 * len(widest) + 1


def _cell(value: object) -> str:
    said = "" if value is None else printable(value)
    return said if len(said) <= CELL_CHARACTERS else f"{said[:CELL_CHARACTERS]}…"


def _lines() -> Report:
    told: set[str] = set()

    def report(label: str, done: int, total: int | None) -> None:
        if total is not None and done >= total and label not in told:
            told.add(label)
            print(f"{label}: {done:,}", file=sys.stderr)  # noqa: T201

    return report


def _columns(result: duckdb.DuckDBPyConnection) -> list[str]:
    return [column[0] for column in result.description or []]


def _batches(result: duckdb.DuckDBPyConnection) -> Iterator[list[tuple[object, ...]]]:
    while rows := result.fetchmany(ROWS_AT_ONCE):
        yield rows


def _write_table(result: duckdb.DuckDBPyConnection) -> None:
    rows = result.fetchmany(TABLE_ROWS + 1)
    print_table(_columns(result), rows[:TABLE_ROWS])
    if len(rows) > TABLE_ROWS:
        print(f"first {TABLE_ROWS} rows; --format csv or json gives all", file=sys.stderr)  # noqa: T201


def _write_csv(result: duckdb.DuckDBPyConnection) -> None:
    text = io.TextIOWrapper(sys.stdout.buffer, "utf-8", newline="", write_through=True)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_columns(result))
    for rows in _batches(result):
        writer.writerows(rows)
    text.detach()


def _write_json(result: duckdb.DuckDBPyConnection) -> None:
    columns, out, first = _columns(result), sys.stdout.buffer, True
    out.write(b"[")
    for rows in _batches(result):
        for row in rows:
            out.write((b"\n" if first else b",\n") + _json_object(columns, row))
            first = False
    out.write(b"\n]\n")


def _json_object(columns: list[str], row: tuple[object, ...]) -> bytes:
    cells = dict(zip(columns, row, strict=True))
    try:
        return orjson.dumps(cells, default=str)
    except TypeError:  # a number beyond 64 bits: JSON itself has no such bound
        return json.dumps(cells, default=str, ensure_ascii=False).encode()
