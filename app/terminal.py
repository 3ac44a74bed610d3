"""Writing to a terminal: progress on stderr, data on stdout, hostile text made visible."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, TextIO

import duckdb
import orjson
from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column, Table
from rich.text import Text

if TYPE_CHECKING:
    import pyarrow

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


def write_rows(result: duckdb.DuckDBPyConnection, style: str, out: BinaryIO | None = None) -> None:
    """Write a query's rows as ``table``, ``csv``, ``json`` (an array of objects) or ``markdown``.

    They go to stdout unless ``out`` is given. A table holds the first rows only, and says so on
    stderr; the others hold all, as they come.
    """
    {"table": _write_table, "csv": _write_csv, "json": _write_json, "markdown": _write_markdown}[
        style
    ](result, out or sys.stdout.buffer)


def write_parquet(batches: pyarrow.RecordBatchReader, out: BinaryIO) -> None:
    """Write rows as one Parquet file, batch after batch."""
    from pyarrow.parquet import ParquetWriter

    with ParquetWriter(out, batches.schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)


def print_table(
    columns: list[str],
    rows: Sequence[tuple[object, ...]],
    title: str | None = None,
    out: TextIO | None = None,
) -> None:
    """Print rows as a table, or one under another where they are too wide; NULLs are empty."""
    is_seen = out is None and sys.stdout.isatty()
    console = Console() if is_seen else Console(file=out, width=PIPE_COLUMNS)
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


def _write_table(result: duckdb.DuckDBPyConnection, out: BinaryIO) -> None:
    rows = result.fetchmany(TABLE_ROWS + 1)
    if out is sys.stdout.buffer:
        print_table(_columns(result), rows[:TABLE_ROWS])
    else:
        with _as_text(out) as text:
            print_table(_columns(result), rows[:TABLE_ROWS], out=text)
    if len(rows) > TABLE_ROWS:
        say(f"first {TABLE_ROWS} rows; --format csv or json gives all")


def _write_csv(result: duckdb.DuckDBPyConnection, out: BinaryIO) -> None:
    with _as_text(out) as text:
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(_columns(result))
        for rows in _batches(result):
            writer.writerows([_text(value) for value in row] for row in rows)


def _write_markdown(result: duckdb.DuckDBPyConnection, out: BinaryIO) -> None:
    columns = [_markdown_cell(column) for column in _columns(result)]
    out.write(f"| {' | '.join(columns)} |\n|{' --- |' * len(columns)}\n".encode())
    for rows in _batches(result):
        for row in rows:
            cells = " | ".join(_markdown_cell(_text(value)) for value in row)
            out.write(f"| {cells} |\n".encode())


def _write_json(result: duckdb.DuckDBPyConnection, out: BinaryIO) -> None:
    columns, first = _columns(result), True
    out.write(b"[")
    for rows in _batches(result):
        for row in rows:
            out.write((b"\n" if first else b",\n") + _json_object(columns, row))
            first = False
    out.write(b"\n]\n")


@contextmanager
def _as_text(out: BinaryIO) -> Iterator[TextIO]:
    text = io.TextIOWrapper(out, "utf-8", newline="", write_through=True)
    try:
        yield text
    finally:
        text.detach()


def _text(value: object) -> str:
    """A value as text for a file: as DuckDB writes it, but nested ones as JSON; NULL is empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes | list | tuple | dict):
        return _json(value).decode() if not isinstance(value, bytes) else _escaped(value)
    return str(value)


def _markdown_cell(text: str) -> str:
    shown = printable(text.replace("\n", " "))
    return re.sub(r"([\\|`*_<\[\]~])", r"\\\1", shown)


def _json_object(columns: list[str], row: tuple[object, ...]) -> bytes:
    return _json(dict(zip(columns, row, strict=True)))


def _json(value: object) -> bytes:
    try:
        return orjson.dumps(value, default=_jsonable, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:  # a number beyond 64 bits: JSON itself has no such bound
        return json.dumps(value, default=_jsonable, ensure_ascii=False).encode()


def _jsonable(value: object) -> str:
    return _escaped(value) if isinstance(value, bytes) else str(value)


def _escaped(value: bytes) -> str:
    return value.decode("utf-8", errors="backslashreplace")
