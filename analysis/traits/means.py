"""Weighted means over edges or models, noted for each twin with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.study.measures import Study
from analysis.study.resampling import mean_intervals
from analysis.study.twins import Bools, Floats, Ints


@dataclass(frozen=True, kw_only=True)
class Mean:
    """A mean to be noted.

    Attributes
    ----------
    values
        Shape (m rows,): what it is a mean of.
    mask
        Shape (m,): the rows that have part in it.
    reason
        Why it cannot be told where the mask is empty.
    """

    measure: str
    subject: str = ""
    unit: str
    values: Floats
    mask: Bools
    reason: str


def note_means(
    study: Study,
    means: Sequence[Mean],
    *,
    weights: dict[str, Floats],
    clusters: dict[str, Ints],
    purpose: str,
) -> None:
    """Note Σ w·x / Σ w of each mean, by twin.

    Parameters
    ----------
    weights
        By twin, shape (m rows,).
    clusters
        What its intervals resample, shape (m,): see `mean_intervals`.
    purpose
        Names the random draws.
    """
    values = np.column_stack([mean.values for mean in means])
    masks = np.column_stack([mean.mask for mean in means])
    for twin, weight in weights.items():
        bottom = masks * weight[:, None]
        top = values * bottom
        rng = study.generator(f"traits {purpose} {twin}")
        intervals = mean_intervals(top, bottom, clusters, rng)
        for mean, at in zip(means, range(len(means)), strict=True):
            total = float(bottom[:, at].sum())
            reason = f"{mean.reason}{' in this twin' if mean.mask.any() else ''}"
            study.add(
                analysis="traits",
                measure=mean.measure,
                subject=mean.subject,
                twin=twin,
                value=float(top[:, at].sum()) / total if total else None,
                low=intervals[at].low,
                high=intervals[at].high,
                resampled=intervals[at].resampled,
                count=int(np.count_nonzero(bottom[:, at])),
                unit=mean.unit,
                reason=None if total else reason,
            )
