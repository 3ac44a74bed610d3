"""Bootstrap intervals over whole owners and families, of many ratios over many edges.

The draws are those of `analysis.study.resampling.resample`, but owners whose sums are alike, to a
twentieth of the standard deviation of each column, are drawn as one kind, at their mean: how often
each kind comes is multinomial. That keeps all sums and all but two in ten thousand (1 / (12 · 20²))
of their variance, and costs as many numbers as there are kinds, not owners.
"""

from __future__ import annotations

import numpy as np

from analysis.study.resampling import (
    FEWEST_CLUSTERS,
    NO_INTERVAL,
    REPLICATES,
    Floats,
    Interval,
    Ints,
    percentile_interval,
)

FINENESS = 20  # kinds differ by a standard deviation over this
BLOCK = 50  # replicates that are summed at a time


def ratio_intervals(
    numerators: Floats, denominators: Floats, clusters: dict[str, Ints], rng: np.random.Generator
) -> list[Interval]:
    """95 % intervals of k ratios Σ numerators / Σ denominators; the wider of several resamplings.

    Parameters and result as of `analysis.study.resampling.mean_intervals`, but that clusters are
    numbered from 0 with few gaps.
    """
    widest = [NO_INTERVAL] * numerators.shape[1]
    if not len(numerators):
        return widest
    for name, cluster in clusters.items():
        sums = _sums([*numerators.T, *denominators.T], cluster)
        top, bottom = np.hsplit(drawn_sums(sums, rng), 2)
        enough = np.count_nonzero(np.hsplit(sums, 2)[1], axis=0) >= FEWEST_CLUSTERS
        for at in np.flatnonzero(enough):
            told = bottom[:, at] > 0
            found = percentile_interval(top[told, at] / bottom[told, at], name)
            widest[at] = max(widest[at], found, key=_width)
    return widest


def drawn_sums(sums: Floats, rng: np.random.Generator, replicates: int = REPLICATES) -> Floats:
    """Column sums of c clusters drawn with replacement, again and again.

    Parameters
    ----------
    sums
        Shape (c clusters, k columns).

    Returns
    -------
    Shape (replicates, k).
    """
    rows, counts = _kinds(sums)
    chances = counts / counts.sum()
    drawn = np.empty((replicates, sums.shape[1]))
    for start in range(0, replicates, BLOCK):
        size = min(BLOCK, replicates - start)
        times = rng.multinomial(len(sums), chances, size=size)
        drawn[start : start + size] = times.astype(np.float64) @ rows
    return drawn


def _sums(columns: list[Floats], cluster: Ints) -> Floats:
    """Shape (c clusters, columns), as of `cluster_sums`; no sorting, for owners are numbers."""
    there = np.flatnonzero(np.bincount(cluster))
    return np.column_stack([np.bincount(cluster, column)[there] for column in columns])


def _kinds(sums: Floats) -> tuple[Floats, Ints]:
    """Mean rows of the kinds of clusters, and how many clusters are of each."""
    step = sums.std(axis=0) / FINENESS
    place = np.round(sums / np.where(step > 0, step, 1.0))
    # Sorting one number a row is far faster than sorting rows; weights drawn at random keep rows
    # apart.
    mark = place @ np.random.default_rng(0).random(sums.shape[1])
    _, kind, counts = np.unique(mark, return_inverse=True, return_counts=True)
    rows = np.column_stack([np.bincount(kind, column, len(counts)) for column in sums.T])
    return rows / counts[:, None], counts


def _width(interval: Interval) -> float:
    return -1.0 if interval.low is None or interval.high is None else interval.high - interval.low
