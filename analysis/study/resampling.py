"""Bootstrap intervals that resample whole owners or whole families, never single pairs.

Edges of one owner, or of one family, are alike: counted as independent they make intervals that are
far too narrow. Ratios of sums (means, shares, differences of them) are resampled all at once.

Source: Field, Welsh, "Bootstrapping clustered data", J. R. Statist. Soc. B 69 (2007).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
REPLICATES = 400
FEWEST_CLUSTERS = 10
MOST_APART = 2_000  # clusters that are drawn each by itself
FINENESS = 20  # kinds differ by a standard deviation over this
BLOCK = 50  # replicates that are summed at a time
AT_ONCE = 2_000_000  # counts that are held at once


@dataclass(frozen=True)
class Interval:
    """A 95 % interval, and what was resampled for it; both ends None where too little was."""

    low: float | None
    high: float | None
    resampled: str | None


NO_INTERVAL = Interval(None, None, None)


def cluster_sums(values: Floats, cluster: Ints) -> Floats:
    """Sums within clusters.

    Parameters
    ----------
    values
        Shape (n rows, k columns).
    cluster
        Shape (n,): numbers from 0 (of owners, of families), not all of which need be there.

    Returns
    -------
    Shape (c clusters, k): a row for each number that is there, in order.
    """
    there = np.flatnonzero(np.bincount(cluster))  # no sorting: edges are many
    return np.column_stack([np.bincount(cluster, column)[there] for column in values.T])


def resample(sums: Floats, rng: np.random.Generator, replicates: int = REPLICATES) -> Floats:
    """Column sums of c clusters drawn with replacement, again and again.

    Of more than `MOST_APART` clusters, those that are alike are drawn as one kind (`kinds_of`): how
    often each kind comes is multinomial, as it is for each cluster.

    Parameters
    ----------
    sums
        Shape (c clusters, k columns).

    Returns
    -------
    Shape (replicates, k).
    """
    rows, counts = kinds_of(sums) if len(sums) > MOST_APART else (sums, np.ones(len(sums)))
    drawn = np.zeros((replicates, sums.shape[1]))
    for start in range(0, replicates if len(sums) else 0, BLOCK):
        size = min(BLOCK, replicates - start)
        times = rng.multinomial(len(sums), counts / len(sums), size=size)
        drawn[start : start + size] = times.astype(np.float64) @ rows
    return drawn


def kinds_of(sums: Floats) -> tuple[Floats, Ints]:
    """Clusters that are alike, to a twentieth of each column's standard deviation, as one kind.

    Of a hub's owners most have one model, and cost nothing so. All sums stay, and all but two in
    ten thousand of their variance (1 / (12 · 20²)).

    Returns
    -------
    Shape (kinds, k), the mean row of each kind, and shape (kinds,), how many clusters are of it.
    """
    step = sums.std(axis=0) / FINENESS
    place = np.round(sums / np.where(step > 0, step, 1.0))
    # Sorting one number a row is far faster than sorting rows; weights drawn at random keep rows
    # apart.
    mark = place @ np.random.default_rng(0).random(sums.shape[1])
    _, kind, counts = np.unique(mark, return_inverse=True, return_counts=True)
    rows = np.column_stack([np.bincount(kind, column, len(counts)) for column in sums.T])
    return rows / counts[:, None], counts


def mean_intervals(
    numerators: Floats, denominators: Floats, clusters: dict[str, Ints], rng: np.random.Generator
) -> list[Interval]:
    """95 % intervals of k ratios Σ numerators / Σ denominators; the wider of several resamplings.

    Parameters
    ----------
    numerators, denominators
        Shape (n rows, k ratios): a weighted mean is Σ w·x / Σ w; a row that has no part in a ratio
        has 0 in both.
    clusters
        By what it is (``owner``, ``family``), shape (n,): the cluster of each row.

    Returns
    -------
    k intervals; none where fewer than `FEWEST_CLUSTERS` clusters have a part in a ratio: so few do
    not tell how others would differ.
    """
    widest = [NO_INTERVAL] * numerators.shape[1]
    for name, cluster in clusters.items():
        sums = cluster_sums(np.hstack([numerators, denominators]), cluster)
        top, bottom = np.hsplit(resample(sums, rng), 2)
        enough = np.count_nonzero(np.hsplit(sums, 2)[1], axis=0) >= FEWEST_CLUSTERS
        for at in np.flatnonzero(enough):
            found = _between(top[:, at], bottom[:, at], name)
            widest[at] = wider(widest[at], found)
    return widest


def percentile_interval(values: Sequence[float] | Floats, resampled: str) -> Interval:
    """From the 2.5th to the 97.5th percentile of replicates."""
    low, high = np.percentile(values, [2.5, 97.5])
    return Interval(float(low), float(high), resampled)


def wider(one: Interval, other: Interval) -> Interval:
    """The wider of two; any is wider than none."""
    return max(one, other, key=_width)


def _between(top: Floats, bottom: Floats, name: str) -> Interval:
    told = bottom != 0
    return percentile_interval(top[told] / bottom[told], name) if told.any() else NO_INTERVAL


def _width(interval: Interval) -> float:
    return -1.0 if interval.low is None or interval.high is None else interval.high - interval.low
