"""Hubs under study, for tests: a frame laid out over a few lines, or over a real recording."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
import zstandard
from hubs import Record, recording

from analysis.lineage import derive_lineage
from analysis.study.frame import lay_out
from analysis.study.measures import Study
from crawler.importing import import_records
from warehouse.build import build
from warehouse.read import open_warehouse

RECORDINGS = os.environ.get("HUBATLAS_RECORDINGS")
needs_recordings = pytest.mark.skipif(
    not RECORDINGS, reason="HUBATLAS_RECORDINGS names no folder of real records"
)


def recorded(name: str) -> list[Record]:
    """Lines of a real recording."""
    packed = (Path(str(RECORDINGS)) / name).read_bytes()
    content = zstandard.ZstdDecompressor().stream_reader(packed).read()
    return [orjson.loads(line) for line in content.splitlines()]


def home_of(folder: Path, lines: Iterable[Record]) -> Path:
    """A home whose warehouse is built of records taken in from a file."""
    home = folder / "home"
    import_records(home, recording(folder, lines))
    build(home, derive=derive_lineage)
    return home


@contextmanager
def studied(home: Path, **options: Any) -> Iterator[Study]:
    """A study with its frame laid out, and nothing else done."""
    with open_warehouse(home) as db:
        study = Study(db.cursor(), **options)
        lay_out(study)
        yield study


def found(study: Study) -> dict[tuple[str, str, str], Any]:
    """Its measures by measure, subject and twin."""
    return {(one.measure, one.subject, one.twin): one for one in study.measures}
