"""The published warehouse, opened once for all sessions and again when a new one is published."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from warehouse.build import FILE
from warehouse.read import open_warehouse

HOME_VARIABLE = "HUBATLAS_HOME"


@dataclass(frozen=True)
class Edition:
    """One published file: another build has another inode or time. A key for caches."""

    path: str
    inode: int
    modified_ns: int


def home() -> Path:
    """Folder that the pages read, as the command line said it."""
    return Path(os.environ.get(HOME_VARIABLE) or "hub")


def edition() -> Edition:
    """The edition that is published now; a home without one has an edition of its own."""
    path = home() / FILE
    try:
        seen = path.stat()
    except OSError:
        return Edition(str(path), 0, 0)
    return Edition(str(path), seen.st_ino, seen.st_mtime_ns)


@contextmanager
def reading() -> Iterator[duckdb.DuckDBPyConnection]:
    """A cursor on the newest edition; raises `NoWarehouse` where there is none.

    Within another ``reading`` of the same thread it is a cursor on the same edition, so that a page
    never mixes two.
    """
    outer: duckdb.DuckDBPyConnection | None = getattr(_here, "cursor", None)
    if outer is not None:
        with outer.cursor() as cursor:
            yield cursor
        return
    with _shelf.cursor() as cursor:
        _here.cursor = cursor
        try:
            yield cursor
        finally:
            _here.cursor = None


def close() -> None:
    """Close the open edition, if any; the next reader opens it again."""
    _shelf.close()


class _Shelf:
    """Holds the open edition.

    DuckDB hands out the old file's pages again for a path that is open already, so the old edition
    has to be closed before the new one is opened, and that must wait for those who still read.
    """

    def __init__(self) -> None:
        self._turn = threading.Condition()
        self._reader_count = 0
        self._edition: Edition | None = None
        self._db: duckdb.DuckDBPyConnection | None = None

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
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
        with self._turn:
            while self._reader_count:
                self._turn.wait()
            self._shut()

    def _newest(self) -> duckdb.DuckDBPyConnection:
        # Called with the lock held; waiting gives it up, so others may have opened meanwhile.
        while self._db is None or self._edition != edition():
            if self._reader_count:
                self._turn.wait()
                continue
            self._reopen()
        return self._db

    def _reopen(self) -> None:
        self._shut()
        # Named before it is opened: one published in between is opened once more, never missed.
        now = edition()
        self._db = open_warehouse(home())
        self._edition = now

    def _shut(self) -> None:
        if self._db is not None:
            self._db.close()
        self._db, self._edition = None, None


_shelf = _Shelf()
_here = threading.local()
