"""Estimates from a stratified sample.

Source: Cochran, Sampling Techniques (3rd ed., 1977), theorems 5.1 and 5.3.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from analysis import AnalysisError

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class StratumTooThin(AnalysisError):
    """A stratum has too few sampled models to stand for those that were not sampled."""


def stratified_mean(values: Floats, strata: Ints, frame_counts: Ints) -> tuple[float, float]:
    """Mean over a frame, and its standard error, from a stratified random sample of it.

    With N_h models in stratum h, n_h of them sampled without replacement, ȳ_h their mean and
    s_h² their variance over n_h - 1, the mean is Σ N_h ȳ_h / N: the Horvitz-Thompson estimate, as
    each model stands for N_h / n_h. Its variance is Σ (N_h/N)² (1 - n_h/N_h) s_h² / n_h, where
    1 - n_h/N_h is the finite population correction: a stratum that was taken whole adds nothing.

    Parameters
    ----------
    values
        Shape (m sampled models,). NaN says that the model was sampled and has no value: both
        results are then NaN, since leaving it out would make the mean that of another frame.
    strata
        Shape (m,): each model's stratum, 0 to h - 1.
    frame_counts
        Shape (h,): N_h.

    Returns
    -------
    The mean and its standard error, in the unit of the values. mean ± 1.96 standard errors covers
    the frame's mean in about 95 % of samples, where strata are large enough for their means to be
    normal.

    Raises
    ------
    `StratumTooThin` where a stratum has no sampled model, or one that stands for more than itself.
    """
    count = np.bincount(strata, minlength=len(frame_counts))
    _check_thickness(count, frame_counts)
    mean = np.bincount(strata, values, len(frame_counts)) / np.maximum(count, 1)
    squares = np.bincount(strata, (values - mean[strata]) ** 2, len(frame_counts))
    variance = squares / np.maximum(count - 1, 1) / np.maximum(count, 1)
    weight = frame_counts / frame_counts.sum()
    correction = 1 - count / np.maximum(frame_counts, 1)
    error = np.sqrt(np.sum(weight**2 * correction * variance))
    return float(np.sum(weight * mean)), float(error)


def _check_thickness(count: Ints, frame_counts: Ints) -> None:
    thin = np.flatnonzero(count < np.minimum(2, frame_counts))
    if len(thin):
        first = thin[0]
        raise StratumTooThin(
            f"stratum {first} has {count[first]} sampled models for {frame_counts[first]}; two are"
            " needed: sample more, or merge it with another stratum"
        )
