"""Weighted medians of all twins, with intervals that resample whole clusters.

Source: Woodruff, "Confidence intervals for medians and other position measures", J. Am. Stat.
Assoc. 47 (1952): the interval of the share of rows that lie at or below the median, read back as
values.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from analysis.structure.graph import ANALYSIS
from analysis.structure.means import NO_ROWS, Ratio, Rows
from analysis.study.measures import Study
from analysis.study.resampling import NO_INTERVAL, Interval, mean_intervals

Floats = npt.NDArray[np.float64]


def weighted_quantile(values: Floats, weights: Floats, share: float) -> float | None:
    """The least value at or below which this share of the weight lies; None of no weight."""
    order = np.argsort(values, kind="stable")
    risen = np.cumsum(weights[order])
    if not len(risen) or risen[-1] <= 0:
        return None
    # a sum that is rounded must not miss its last row
    at = np.searchsorted(risen, share * risen[-1] * (1 - 1e-12))
    return float(values[order][min(int(at), len(values) - 1)])


def weighted_medians(values: Floats, rows: Rows, rng: np.random.Generator) -> dict[str, Ratio]:
    """Median of each twin.

    Parameters
    ----------
    values
        Shape (n rows,).
    """
    twins = list(rows.weights)
    medians = [weighted_quantile(values, rows.weights[twin], 0.5) for twin in twins]
    aims = np.array([np.nan if median is None else median for median in medians])
    weights = np.column_stack([rows.weights[twin] for twin in twins])
    below = weights * (values[:, None] <= aims)
    shares = mean_intervals(below, weights, rows.clusters, rng)
    return {
        twin: Ratio(median, _read_back(values, rows.weights[twin], share), int((w > 0).sum()))
        for twin, median, share, w in zip(twins, medians, shares, weights.T, strict=True)
    }


def add_medians(
    study: Study,
    measure: str,
    subject: str,
    *,
    values: Floats,
    rows: Rows,
    unit: str,
) -> None:
    """Note `weighted_medians` as measures."""
    rng = study.generator(f"{ANALYSIS} {measure} {subject}")
    for twin, median in weighted_medians(values, rows, rng).items():
        study.add(
            analysis=ANALYSIS,
            measure=measure,
            subject=subject,
            twin=twin,
            value=median.value,
            low=median.interval.low,
            high=median.interval.high,
            resampled=median.interval.resampled,
            count=median.count,
            unit=unit,
            reason=None if median.value is not None else NO_ROWS,
        )


def _read_back(values: Floats, weights: Floats, share: Interval) -> Interval:
    if share.low is None or share.high is None:
        return NO_INTERVAL
    # The share at the median is a half or, where values are tied, more; its spread is what counts.
    middle = (share.low + share.high) / 2
    low, high = 0.5 - (middle - share.low), 0.5 + (share.high - middle)
    return Interval(
        weighted_quantile(values, weights, max(low, 0.0)),
        weighted_quantile(values, weights, min(high, 1.0)),
        share.resampled,
    )
