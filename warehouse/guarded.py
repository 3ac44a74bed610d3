"""The child behind `warehouse.guard`: one question on stdin, one verdict and its rows on stdout.

The verdict is a line of JSON; behind it come the rows as a stream of Arrow.
"""

from __future__ import annotations

import resource
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pyarrow

from warehouse.guard import REFUSALS, Limits, overtime, overweight
from warehouse.projecting import projected, without_zone
from warehouse.read import Parameters, SqlRefused, open_warehouse, refusing
from warehouse.shadowing import as_of_notice, shadow_as_of
from warehouse.statement import review

BATCH_ROWS = 1_000
# Of these, all values are small; everything else is measured.
SMALL = (
    *("BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT"),
    *("UINTEGER", "UBIGINT", "UHUGEINT", "FLOAT", "DOUBLE", "DECIMAL", "DATE", "TIME", "INTERVAL"),
    *("UUID", '"NULL"', "NULL"),
)
NESTED = ("STRUCT", "MAP", "BLOB")
DECODE: dict[str, Callable[[Any], Any]] = {
    "date": date.fromisoformat,
    "timestamp": datetime.fromisoformat,
    "": lambda value: value,
}
Table = tuple[pyarrow.Table, list[str]]


def main() -> None:
    """Answer the question on stdin."""
    question = orjson.loads(sys.stdin.buffer.read())
    limits = Limits(**question["limits"])
    _bound(limits)
    out = sys.stdout.buffer
    try:
        table, notices = _answer(question, limits)
    except tuple(REFUSALS.values()) as refusal:
        verdict = {"refusal": type(refusal).__name__, "reason": str(refusal)}
        out.write(orjson.dumps(verdict) + b"\n")
        return
    out.write(orjson.dumps({"notices": notices}) + b"\n")
    with pyarrow.ipc.new_stream(out, table.schema) as stream:
        stream.write_table(table)


def _bound(limits: Limits) -> None:
    seconds = int(limits.seconds * limits.threads) + 2
    for kind, most in (
        (resource.RLIMIT_DATA, limits.memory_bytes * 2),
        (resource.RLIMIT_FSIZE, limits.spill_bytes),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))


def _answer(question: dict[str, Any], limits: Limits) -> Table:
    config = {
        "memory_limit": f"{limits.memory_bytes}B",
        "max_temp_directory_size": f"{limits.spill_bytes}B",
        "temp_directory": question["spill"],
        "threads": str(limits.threads),
        "arrow_lossless_conversion": "true",
    }
    parameters = {
        name: DECODE[kind](value) for name, (kind, value) in question["parameters"].items()
    }
    with open_warehouse(Path(question["home"]), config) as db, _within(db, limits):
        told = []
        if question["as_of"]:
            as_of = datetime.fromisoformat(question["as_of"])
            told.append(as_of_notice(as_of, shadow_as_of(db, as_of)))
        statement = review(db, question["sql"])
        if statement.is_explain:
            table, notices = _collected(db, f"explain {statement.select}", parameters, limits)
        else:
            table, notices = _selected(db, statement.select, parameters, limits)
        return table, told + notices


@contextmanager
def _within(db: duckdb.DuckDBPyConnection, limits: Limits) -> Iterator[None]:
    timer = threading.Timer(limits.seconds, db.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    except duckdb.InterruptException:
        raise SqlRefused(overtime(limits)) from None
    except (duckdb.OutOfMemoryException, MemoryError):
        raise SqlRefused(overweight(limits)) from None
    finally:
        timer.cancel()


def _selected(
    db: duckdb.DuckDBPyConnection, sql: str, parameters: Parameters, limits: Limits
) -> Table:
    with _refusing(placed=True):
        bound = _bound_query(db, sql, parameters)
        names, types = list(bound.columns), [str(kind) for kind in bound.types]
    cells, measures = zip(
        *(_cell(f"c{n}", kind, limits.cell_bytes) for n, kind in enumerate(types)), strict=True
    )
    query = f"{projected(sql, cells, names, measures)} limit {limits.row_count + 1}"
    table, notices = _collected(db, query, parameters, limits)
    if table.num_rows > limits.row_count:
        table = table.slice(0, limits.row_count)
        notices.append(f"only the first {limits.row_count:,} rows are shown")
    for n, name in enumerate(names):
        done = table.column(len(names) + n).drop_null()
        if len(done):
            most = f"{limits.cell_bytes:,} bytes"
            notices.append(f"{name}: {len(done):,} values over {most} are {done[0]}")
    return table.select(range(len(names))), notices


def _bound_query(
    db: duckdb.DuckDBPyConnection, sql: str, parameters: Parameters
) -> duckdb.DuckDBPyRelation:
    try:
        return db.sql(sql, params=parameters or None)
    except duckdb.Error:
        # A relation's errors do not say where; it fails the same way as a statement, which does.
        db.execute(sql, parameters or None)
        raise


def _cell(column: str, kind: str, most: int) -> tuple[str, str]:
    """Expressions for a cell that is not too long, and for what was done to it: null if nothing."""
    plain = without_zone(column, kind)
    if kind.startswith((*SMALL, "TIMESTAMP", "ENUM")) and not kind.endswith("]"):
        return plain, "null"
    text = f"cast({plain} as varchar)"
    length = f"octet_length({column})" if kind == "BLOB" else f"strlen({text})"
    if kind.startswith(NESTED) or kind.endswith("]"):
        shown = f"case when {length} <= {most} then {plain} end"
        return shown, f"case when {length} > {most} then 'left out' end"
    # A character has up to four bytes.
    cut = f"left({text}, {most // 4}) || '…'"
    shown = f"case when {length} > {most} then {cut} else {text} end"
    return shown, f"case when {length} > {most} then 'cut' end"


def _collected(
    db: duckdb.DuckDBPyConnection, sql: str, parameters: Parameters, limits: Limits
) -> Table:
    # What runs is longer than what was asked: places in it are nobody's.
    with _refusing(placed=False):
        reader = db.sql(sql, params=parameters or None).to_arrow_reader(BATCH_ROWS)
        batches, size = [], 0
        for batch in reader:
            batches.append(batch)
            size += batch.nbytes
            if size > limits.result_bytes:
                break
    table = pyarrow.Table.from_batches(batches, reader.schema)
    if size <= limits.result_bytes:
        return table, []
    kept = _rows_within(table, limits.result_bytes)
    notice = f"only the first {kept:,} rows are shown: {limits.result_bytes:,} bytes hold no more"
    return table.slice(0, kept), [notice]


def _rows_within(table: pyarrow.Table, most: int) -> int:
    """How many rows from the first on take no more than so many bytes."""
    low, high = 0, table.num_rows
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if table.slice(0, middle).nbytes <= most else (low, middle - 1)
    return low


@contextmanager
def _refusing(*, placed: bool) -> Iterator[None]:
    with refusing(placed=placed):
        try:
            yield
        except duckdb.OutOfMemoryException:
            raise MemoryError from None


if __name__ == "__main__":
    main()
