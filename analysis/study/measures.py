"""A study under way: the connection it reads, and the numbers that it has found so far."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from analysis import AnalysisError
from warehouse.landing import Report
from warehouse.relations import read_relation

Arrays = dict[str, npt.NDArray[Any]]
RAW = "raw"


class NumberMissing(AnalysisError):
    """A measure without a value does not say why."""


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One number of a study: a row of ``study_measure``.

    Attributes
    ----------
    analysis, measure, subject
        Which number: ``traits``, ``mutation_rate``, ``license``. The subject is empty where there
        is but one.
    twin
        ``raw``, or which robust twin of that number; see `analysis.study.twins`.
    value
        In the unit; None where it cannot be told, and then ``reason`` says why.
    low, high
        95 % interval; None where the value is a count of everything and has no error, or where
        too few clusters would be resampled.
    resampled
        What the interval resamples: ``owner``, ``family``, ``draw`` (of a sample); None without.
    count
        How many models, edges or pairs it rests on.
    unit
        ``share``, ``models``, ``edges``, ``characters``, …
    """

    analysis: str
    measure: str
    subject: str = ""
    twin: str = RAW
    value: float | None
    low: float | None = None
    high: float | None = None
    resampled: str | None = None
    count: int
    unit: str
    reason: str | None = None

    def __post_init__(self) -> None:
        for name in ("value", "low", "high"):
            number = getattr(self, name)
            if number is not None and not math.isfinite(number):
                raise NumberMissing(f"{self.measure} of {self.subject}: {name} is {number}")
        if (self.value is None) == (self.reason is None):
            raise NumberMissing(f"{self.measure} of {self.subject} wants a value or a reason")


@dataclass(frozen=True, kw_only=True)
class Point:
    """One point of a curve or bar of a chart: a row of ``study_series``.

    Attributes
    ----------
    series, subject, twin
        Which chart, which line in it, which twin.
    x
        Where, as a number (for a month, that since year 0: 12 · year + month - 1).
    label
        The same for a reader (2024-05, apache-2.0).
    y, low, high
        How much, with its 95 % interval where it has one.
    count
        What it rests on.
    """

    analysis: str
    series: str
    subject: str = ""
    twin: str = RAW
    x: float
    label: str
    y: float
    low: float | None = None
    high: float | None = None
    count: int = 0


@dataclass
class Study:
    """What an analysis is handed, and what it hands back.

    Attributes
    ----------
    db
        A published warehouse, read-only, with the temporary tables of `analysis.study.frame`:
        ``node``, ``kin`` and ``owner``. An analysis may make temporary tables of its own.
    as_of
        UTC time of which the frame tells; None for the present.
    seed
        Where all randomness comes from; see `generator`.
    report
        Called with (step, done, total).
    """

    db: duckdb.DuckDBPyConnection
    as_of: datetime | None = None
    seed: int = 0
    report: Report = lambda label, done, total: None
    measures: list[Measure] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)

    def generator(self, purpose: str) -> np.random.Generator:
        """Numbers of one purpose alone, so that another analysis more changes none of them."""
        return np.random.default_rng([self.seed, *purpose.encode()])

    def add(self, **named: Any) -> None:
        """Note a `Measure`; NaN where a value is wanted is an error, as is a missing reason."""
        self.measures.append(Measure(**named))

    def plot(self, **named: Any) -> None:
        """Note a `Point`."""
        self.points.append(Point(**named))

    def arrays(self, sql: str) -> Arrays:
        """Rows of a query as NumPy columns; missing ones are NaN, NaT or None."""
        columns = self.db.execute(sql).fetchnumpy()
        return {name: _filled(column) for name, column in columns.items()}

    def keep(self, name: str, rows: pa.Table | None = None) -> None:
        """Make the relation of ``analysis/study/sql/NAME.sql``, to be published with the study.

        Where rows are given, its SELECT reads them from ``NAME_rows``.
        """
        if rows is not None:
            self.db.register(f"{name}_rows", rows)
        relation = read_relation("analysis.study", name)
        self.db.execute(f"create or replace temp table {name} as {relation.sql}")
        if rows is not None:
            self.db.unregister(f"{name}_rows")
        self.kept.append(name)


Step = Callable[[Study], None]


def as_table(rows: list[Any], row: type) -> pa.Table:
    """Dataclass instances as columns; typed also where there is none."""
    kinds = {"float": pa.float64(), "int": pa.int64(), "str": pa.string()}
    columns = {
        one.name: pa.array([getattr(r, one.name) for r in rows], kinds[str(one.type).split()[0]])
        for one in fields(row)
    }
    return pa.table(columns)


def _filled(column: Any) -> npt.NDArray[Any]:
    if not isinstance(column, np.ma.MaskedArray):
        return np.asarray(column)
    if column.dtype.kind in "iu":
        column = column.astype(np.float64)
    missing: Any = {"O": None, "M": np.datetime64("NaT")}.get(column.dtype.kind, np.nan)
    filled = np.array(column.data)
    filled[np.ma.getmaskarray(column)] = missing
    return filled
