"""Means and shares over models, edges or families: all twins at once, with their intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.structure.graph import ANALYSIS
from analysis.study.measures import Study
from analysis.study.resampling import Interval, mean_intervals

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
NO_ROWS = "nothing of the kind here"


@dataclass(frozen=True)
class Rows:
    """What means are taken over.

    Attributes
    ----------
    weights
        By twin, shape (n rows,).
    clusters
        By what is resampled (owner, family), shape (n,).
    """

    weights: dict[str, Floats]
    clusters: dict[str, Ints]


@dataclass(frozen=True)
class Ratio:
    """A weighted mean of a twin; value None where no row has a part in it."""

    value: float | None
    interval: Interval
    count: int


def weighted_means(
    values: Floats, has_part: Bools, rows: Rows, rng: np.random.Generator
) -> dict[str, list[Ratio]]:
    """Weighted means of k quantities in each twin.

    Parameters
    ----------
    values, has_part
        Shape (n rows, k): x, and whether the row counts; x is not read where it does not.

    Returns
    -------
    By twin, k means Σ w·x / Σ w; ``count`` is how many rows of weight have a part in each.
    """
    parts = has_part.astype(np.float64)
    known = np.where(has_part, values, 0.0)
    tops = np.hstack([known * weight[:, None] for weight in rows.weights.values()])
    bottoms = np.hstack([parts * weight[:, None] for weight in rows.weights.values()])
    intervals = mean_intervals(tops, bottoms, rows.clusters, rng)
    counts = np.count_nonzero(bottoms, axis=0)
    top, bottom = tops.sum(axis=0), bottoms.sum(axis=0)
    ratios = [
        Ratio(float(top[at] / bottom[at]) if bottom[at] else None, interval, int(counts[at]))
        for at, interval in enumerate(intervals)
    ]
    k = values.shape[1]
    return {twin: ratios[at * k : (at + 1) * k] for at, twin in enumerate(rows.weights)}


def add_means(
    study: Study,
    measure: str,
    subjects: list[str],
    *,
    values: Floats,
    has_part: Bools,
    rows: Rows,
    unit: str,
) -> None:
    """Note `weighted_means` as measures, a subject for each column."""
    rng = study.generator(f"{ANALYSIS} {measure}")
    for twin, ratios in weighted_means(values, has_part, rows, rng).items():
        for subject, ratio in zip(subjects, ratios, strict=True):
            study.add(
                analysis=ANALYSIS,
                measure=measure,
                subject=subject,
                twin=twin,
                value=ratio.value,
                low=ratio.interval.low,
                high=ratio.interval.high,
                resampled=ratio.interval.resampled,
                count=ratio.count,
                unit=unit,
                reason=None if ratio.value is not None else NO_ROWS,
            )
