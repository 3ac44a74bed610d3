"""Weighted shares with their twins and intervals, many of one measure at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.licenses.ledger import Ints
from analysis.study.measures import Study
from analysis.study.resampling import (
    FEWEST_CLUSTERS,
    NO_INTERVAL,
    Interval,
    percentile_interval,
    resample,
    wider,
)
from analysis.study.twins import twin_weights

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Rows:
    """What shares are taken of: models or edges.

    Attributes
    ----------
    clusters
        By what they are (``owner``, ``family``), shape (n,): what is resampled whole.
    weights
        By twin, shape (n,).
    unit
        ``models`` or ``edges``, for reasons.
    """

    clusters: dict[str, Ints]
    weights: dict[str, Floats]
    unit: str

    def where(self, rows: Bools) -> Rows:
        """Some of the rows, with the weights that they have among all."""
        clusters = {name: cluster[rows] for name, cluster in self.clusters.items()}
        weights = {twin: weight[rows] for twin, weight in self.weights.items()}
        return Rows(clusters, weights, self.unit)

    def times(self, amount: Floats) -> Rows:
        """The rows weighed by an amount, downloads for instance; missing ones weigh nothing."""
        filled = np.nan_to_num(amount)
        weights = {twin: weight * filled for twin, weight in self.weights.items()}
        return Rows(self.clusters, weights, self.unit)


def twinned(owner: Ints, is_bulk: Bools, is_dated: Bools, *, unit: str, **clusters: Ints) -> Rows:
    """Rows with the weights of all twins; see `analysis.study.twins`."""
    return Rows({"owner": owner, **clusters}, twin_weights(owner, is_bulk, is_dated), unit)


def add_shares(
    study: Study, measure: str, parts: Mapping[str, Bools], rows: Rows, *, among: str
) -> None:
    """Note the share of each part among rows, by twin.

    Parameters
    ----------
    parts
        By subject, shape (n,): which rows are of it.
    among
        What the rows are, for the reason where there are none.
    """
    rng = study.generator(f"licenses {measure} {among}")
    columns = _columns(parts, rows)
    intervals = _intervals(columns, len(parts), rows, rng)
    at = 0
    for twin, weight in rows.weights.items():
        whole, count = float(weight.sum()), int(np.count_nonzero(weight))
        for subject, part in parts.items():
            interval = intervals[at] if whole else NO_INTERVAL
            study.add(
                analysis="licenses",
                measure=measure,
                subject=subject,
                twin=twin,
                value=float(weight[part].sum()) / whole if whole else None,
                low=interval.low,
                high=interval.high,
                resampled=interval.resampled,
                count=count,
                unit="share",
                reason=None if whole else f"no {rows.unit}: {among}",
            )
            at += 1


def add_asymmetry(
    study: Study, measure: str, subject: str, looser: Bools, stricter: Bools, rows: Rows
) -> None:
    """Note (looser - stricter) / (looser + stricter) of moves, from -1 to 1, by twin."""
    moved = rows.where(looser | stricter)
    among = f"moves {subject}".strip()
    rng = study.generator(f"licenses {measure} {among}")
    up = looser[looser | stricter]
    intervals = _intervals(_columns({"looser": up}, moved), 1, moved, rng)
    for (twin, weight), interval in zip(moved.weights.items(), intervals, strict=True):
        whole = float(weight.sum())
        ends = [None if end is None else 2 * end - 1 for end in (interval.low, interval.high)]
        study.add(
            analysis="licenses",
            measure=measure,
            subject=subject,
            twin=twin,
            value=2 * float(weight[up].sum()) / whole - 1 if whole else None,
            low=ends[0] if whole else None,
            high=ends[1] if whole else None,
            resampled=interval.resampled if whole else None,
            count=int(np.count_nonzero(weight)),
            unit="share",
            reason=None if whole else "no edge moves to another class",
        )


def _columns(parts: Mapping[str, Bools], rows: Rows) -> list[tuple[Floats, Bools | None]]:
    """For each twin the parts and then the whole: weights, and which of the rows count."""
    return [(w, part) for w in rows.weights.values() for part in (*parts.values(), None)]


def _intervals(
    columns: list[tuple[Floats, Bools | None]], k: int, rows: Rows, rng: np.random.Generator
) -> list[Interval]:
    """One interval a twin and part, of clusters resampled whole; the wider of several kinds."""
    twins = len(rows.weights)
    widest = [NO_INTERVAL] * (twins * k)
    for name, cluster in rows.clusters.items():
        sums = _sums(columns, cluster)
        wholes = sums[:, k :: k + 1]
        drawn = resample(sums, rng).reshape(-1, twins, k + 1) if len(sums) else None
        for at in range(twins * k):
            twin, part = divmod(at, k)
            if drawn is None or np.count_nonzero(wholes[:, twin]) < FEWEST_CLUSTERS:
                continue
            found = _percentiles(drawn[:, twin, part], drawn[:, twin, k], name)
            widest[at] = wider(widest[at], found)
    return widest


def _sums(columns: list[tuple[Floats, Bools | None]], cluster: Ints) -> Floats:
    numbers, group = np.unique(cluster, return_inverse=True)
    sums = np.empty((len(numbers), len(columns)))
    for at, (weight, part) in enumerate(columns):
        counted = weight if part is None else weight * part
        sums[:, at] = np.bincount(group, counted, len(numbers))
    return sums


def _percentiles(top: Floats, bottom: Floats, name: str) -> Interval:
    told = bottom > 0
    if not told.any():
        return NO_INTERVAL
    return percentile_interval(top[told] / bottom[told], name)
