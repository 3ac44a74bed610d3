"""Opening the published warehouse to read, and asking it one statement."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from warehouse import WarehouseError
from warehouse.build import FILE, SCHEMA_VERSION
from warehouse.projecting import portable, projected, without_zone
from warehouse.shadowing import shadow_as_of

if TYPE_CHECKING:
    import pyarrow

READER: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    # DuckDB would look for unknown relations among this process's own variables.
    "python_enable_replacements": "false",
}
# Times in the warehouse are UTC; now() has to be, too, wherever the reader sits.
SETTLED = "set global timezone = 'UTC'; set global lock_configuration = true"
TOLD_CHARACTERS = 400
BATCH_ROWS = 50_000
Parameters = Mapping[str, object]


class NoWarehouse(WarehouseError):
    """The home holds no published warehouse, or one of another version."""


class SqlRefused(WarehouseError):
    """The query is wrong or asks for what a reader may not do."""


def open_warehouse(
    home: Path, config: Mapping[str, str] | None = None
) -> duckdb.DuckDBPyConnection:
    """Open ``home/warehouse.duckdb`` read-only, without access to other files or the network.

    ``config`` adds settings of DuckDB; within one process all that have the file open must give the
    same. Raises `NoWarehouse` with what to run.
    """
    path = home / FILE
    if not path.exists():
        raise NoWarehouse(f"{home} holds no warehouse; run: hubatlas --home {home} build")
    try:
        with _opening:
            db = duckdb.connect(path, read_only=True, config={**READER, **(config or {})})
            _settle(db)
        # All of it: an unfinished result would keep the connection from Connection.sql.
        version = next(iter(db.execute("select schema_version from build").fetchall()), None)
    except duckdb.Error as broken:
        reason = str(broken).split("\n", 1)[0]
        raise NoWarehouse(f"{path} cannot be opened ({reason}); build it anew") from broken
    if version is None or version[0] != SCHEMA_VERSION:
        db.close()
        raise NoWarehouse(f"{path} is of another version; run: hubatlas --home {home} build")
    return db


def run_query(
    db: duckdb.DuckDBPyConnection,
    sql: str,
    *,
    parameters: Parameters | None = None,
    as_of: datetime | None = None,
) -> duckdb.DuckDBPyConnection:
    """Run one statement for a person; rows come as they are fetched.

    Parameters
    ----------
    parameters
        Values of ``$name`` in the statement.
    as_of
        A UTC time: relations are what `shadow_as_of` makes of them.

    Raises
    ------
    SqlRefused
        With the database's own words in one line.

    """
    with refusing():
        if len(duckdb.extract_statements(sql)) != 1:
            raise SqlRefused("give one SQL statement at a time")
        asking = db.cursor()
        if as_of is not None:
            shadow_as_of(asking, as_of)
        result = asking.execute(sql, parameters or None)
        types = [str(column[1]) for column in result.description or []]
        if not any("WITH TIME ZONE" in kind for kind in types):
            return result
        # Python would want one library more for these; as UTC they say the same.
        names = [str(column[0]) for column in result.description or []]
        result.abort()
        cells = [without_zone(f"c{n}", kind) for n, kind in enumerate(types)]
        return asking.execute(projected(sql, cells, names), parameters or None)


def read_batches(
    db: duckdb.DuckDBPyConnection,
    sql: str,
    *,
    parameters: Parameters | None = None,
    as_of: datetime | None = None,
) -> pyarrow.RecordBatchReader:
    """Run one SELECT and give its rows as Arrow, as they are read, in types that Parquet has.

    Takes what `run_query` takes and raises what it raises, and `NotPortable`.
    """
    with refusing():
        asking = db.cursor()
        if as_of is not None:
            shadow_as_of(asking, as_of)
        statements = duckdb.extract_statements(sql)
        if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
            raise SqlRefused("Parquet holds the rows of one SELECT; give one")
        bound = asking.sql(sql, params=parameters or None)
        cells = [portable(f"c{n}", str(kind)) for n, kind in enumerate(bound.types)]
        asked = projected(sql, cells, bound.columns)
        return asking.sql(asked, params=parameters or None).to_arrow_reader(BATCH_ROWS)


@contextmanager
def refusing(*, placed: bool = True) -> Iterator[None]:
    """Turn what DuckDB refuses into `SqlRefused`, in one line, and where in the query if asked."""
    try:
        yield
    except duckdb.InterruptException:
        raise
    except duckdb.Error as refused:
        raise SqlRefused(told(refused, placed=placed)) from refused


def told(error: duckdb.Error, *, placed: bool = True) -> str:
    """DuckDB's words in one line: the reason, its candidates, and where in the query."""
    reason, *marked = re.split(r"\n+(?=LINE \d+: )", str(error), maxsplit=1)
    line = " ".join(reason.split())
    shown = line if len(line) <= TOLD_CHARACTERS else f"{line[:TOLD_CHARACTERS]}…"
    return shown + (_place(marked[0]) if marked and placed else "")


@dataclass(frozen=True)
class Edition:
    """One published file: another build has another inode or time. A key for caches."""

    path: str
    inode: int
    modified_ns: int


def published_edition(home: Path) -> Edition:
    """The edition that is published now; a home without one has an edition of its own."""
    path = home / FILE
    try:
        seen = path.stat()
    except OSError:
        return Edition(str(path), 0, 0)
    return Edition(str(path), seen.st_ino, seen.st_mtime_ns)


class Reader:
    """Holds the published file open for long, and opens the new one when one is published.

    DuckDB hands out the old file's pages again for a path that is open already, so the old edition
    has to be closed before the new one is opened, and that must wait for those who still read.

    Parameters
    ----------
    home
        Asked anew each time for the folder to read.

    """

    def __init__(self, home: Callable[[], Path]) -> None:
        self._home = home
        self._turn = threading.Condition()
        self._reader_count = 0
        self._edition: Edition | None = None
        self._db: duckdb.DuckDBPyConnection | None = None

    def is_newer(self) -> bool:
        """Whether another edition is published than the one that is open, if any is."""
        return self._edition != published_edition(self._home())

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor on the newest edition; raises `NoWarehouse` where there is none."""
        with self._turn:
            cursor = self._newest().cursor()
            self._reader_count += 1
        try:
            yield cursor
        finally:
            cursor.close()
            with self._turn:
                self._reader_count -= 1
                self._turn.notify_all()

    def close(self) -> None:
        """Close the open edition, if any, once nobody reads it; the next reader opens it again."""
        with self._turn:
            while self._reader_count:
                self._turn.wait()
            self._shut()

    def _newest(self) -> duckdb.DuckDBPyConnection:
        # Called with the lock held; waiting gives it up, so others may have opened meanwhile.
        while self._db is None or self.is_newer():
            if self._reader_count:
                self._turn.wait()
                continue
            self._reopen()
        return self._db

    def _reopen(self) -> None:
        self._shut()
        # Named before it is opened: one published in between is opened once more, never missed.
        now = published_edition(self._home())
        self._db = open_warehouse(self._home())
        self._edition = now

    def _shut(self) -> None:
        if self._db is not None:
            self._db.close()
        self._db, self._edition = None, None


def _settle(db: duckdb.DuckDBPyConnection) -> None:
    # Another connection of this process may have settled the same file.
    locked = db.execute("select current_setting('lock_configuration')").fetchall()[0][0]
    if not locked:
        db.execute(SETTLED)


def _place(marked: str) -> str:
    """Where DuckDB's caret points: the line, and the column unless it shows the line in part."""
    line, _, caret = marked.partition("\n")
    number, text = line.removeprefix("LINE ").split(": ", 1)
    column = caret.find("^") - len(f"LINE {number}: ")
    if column < 0:
        return f" (line {number})"
    if text.startswith("..."):
        return f" (line {number}, near {text[max(column - 20, 3) : column + 20].strip()})"
    return f" (line {number}, column {column + 1})"


_opening = threading.Lock()
