"""Shares of rows, with robust twins of each and intervals that resample owners."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.impact.graph import Bools
from analysis.study.measures import Study
from analysis.study.resampling import mean_intervals
from analysis.study.twins import twin_weights
from analysis.trees import Ints

Floats = npt.NDArray[np.float64]
ANALYSIS = "impact"


@dataclass(frozen=True)
class Rows:
    """Models that a share is over; every array has shape (n,).

    Attributes
    ----------
    node
        Their numbers in the study, rising.
    owner
        Number of the owner.
    is_bulk
        Whether that owner uploads in bulk.
    is_dated
        Whether the creation is known.
    """

    node: Ints
    owner: Ints
    is_bulk: Bools
    is_dated: Bools

    def at(self, places: Ints) -> Rows:
        """Some of the rows, or some of them more than once."""
        return Rows(
            self.node[places], self.owner[places], self.is_bulk[places], self.is_dated[places]
        )

    def twins(self, kept: Bools) -> dict[str, Floats]:
        """Weights of the kept rows, by twin; shape (kept,)."""
        return twin_weights(self.owner[kept], self.is_bulk[kept], self.is_dated[kept])


def read_rows(study: Study) -> Rows:
    """The models that edges touch, as `analysis.impact.dependence.read_dependence` numbers them."""
    found = study.arrays("""
        select node, owner, is_bulk, is_dated
        from node
        where node in (select child from kin union all select parent from kin)
        order by node""")
    return Rows(**{name: np.asarray(column) for name, column in found.items()})


@dataclass(frozen=True, kw_only=True)
class Shares:
    """Shares that are asked for, under one measure.

    Attributes
    ----------
    base
        Shape (n,): the rows that they are over.
    parts
        By subject, shape (n,): the rows that count.
    amounts
        By subject, shape (n,): what a row counts beside its twin's weight (downloads); 1 if None.
    nothing
        The reason given where the base is empty or counts nothing.
    """

    rows: Rows
    base: Bools
    parts: dict[str, Bools]
    nothing: str
    amounts: dict[str, Ints] | None = None


def note_shares(study: Study, measure: str, asked: Shares) -> None:
    """Note which share of the rows of a base are of each part."""
    rows, base = asked.rows, asked.base
    keys, tops, bottoms = [], [], []
    for twin, weight in rows.twins(base).items():
        for subject, part in asked.parts.items():
            amount = weight * (asked.amounts[subject][base] if asked.amounts else 1.0)
            keys.append((subject, twin, int(np.count_nonzero(amount))))
            tops.append(amount * part[base])
            bottoms.append(amount)
    top, bottom = np.column_stack(tops), np.column_stack(bottoms)
    draws = study.generator(f"{ANALYSIS} {measure}")
    found = mean_intervals(top, bottom, {"owner": rows.owner[base]}, draws)
    sums = zip(top.sum(axis=0).tolist(), bottom.sum(axis=0).tolist(), strict=True)
    for (subject, twin, count), interval, (part_sum, whole) in zip(keys, found, sums, strict=True):
        told = {"analysis": ANALYSIS, "measure": measure, "subject": subject, "twin": twin}
        if whole:
            ends = {"low": interval.low, "high": interval.high, "resampled": interval.resampled}
            study.add(**told, **ends, value=part_sum / whole, count=count, unit="share")
        else:
            study.add(**told, value=None, count=0, unit="share", reason=asked.nothing)
