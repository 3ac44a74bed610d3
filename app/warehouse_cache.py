"""The published warehouse, opened once for all sessions and again when a new one is published."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from warehouse.read import Edition, Reader, published_edition

HOME_VARIABLE = "HUBATLAS_HOME"


def home() -> Path:
    """Folder that the pages read, as the command line said it."""
    return Path(os.environ.get(HOME_VARIABLE) or "hub")


def edition() -> Edition:
    """The edition that is published now; a home without one has an edition of its own."""
    return published_edition(home())


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
    with _reader.cursor() as cursor:
        _here.cursor = cursor
        try:
            yield cursor
        finally:
            _here.cursor = None


def close() -> None:
    """Close the open edition, if any; the next reader opens it again."""
    _reader.close()


_reader = Reader(home)
_here = threading.local()
