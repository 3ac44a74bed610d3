"""Stratified random samples of a listing, for a crawl that cannot ask about every repo.

Downloads, likes and sizes on the Hub are so skewed that a plain sample of a few thousand repos
misses most of what is used, and a sample of the most popular ones says nothing of the rest. So
the listing is split into strata, each stratum is sampled at random, and the probability with
which each repo came in is stored. An estimate is weighted by it later: the stratified mean and
its standard error are `analysis.sampling.stratified_mean`.

Source: Castaño, Martínez-Fernández, Franch, "Lessons Learned from Mining the Hugging Face
Repository" (2024), arXiv:2402.07323, for strata on the Hub; Neyman, "On the two different aspects
of the representative method" (1934); Cochran, Sampling Techniques (3rd ed., 1977), chapter 5.
Pure functions over arrays: no files, no network.

The strata that a listing has are often more than a sample can take two members from. Then the
smallest are pooled into one stratum of their own, which is sampled at random like any other, so
that the probabilities stay known and the estimates unbiased.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from crawler.allocation import Floats, Ints, allocated, pooled_strata
from crawler.plan import LEAST_SAMPLE, Allocation, SampleTooSmall


@dataclass(frozen=True)
class Frame:
    """The repos that a sample is drawn from, n of them.

    Attributes
    ----------
    repo_id
        Shape (n,): text, each once.
    columns
        Class of each repo by stratum name: shape (n,), text, no missing values (``"unknown"`` is a
        class of its own). What `size_class`, `popularity_class` and `cohort` return.
    target
        Shape (n,): what the study is about, log1p of downloads for instance; NaN where unknown.
        Only Neyman allocation looks at it.
    """

    repo_id: npt.NDArray[Any]
    columns: dict[str, npt.NDArray[Any]]
    target: Floats


@dataclass(frozen=True)
class Sample:
    """What `draw_sample` returns: h strata, m members.

    Attributes
    ----------
    labels
        Shape (h,): ``"pipeline_tag=… | size=…"``; ``"all"`` where the frame is one stratum by
        request; the last is ``"pooled (37 strata)"`` where so many were pooled.
    pooled
        Labels of the strata that were pooled into the last one; empty where none were.
    frame_count, sample_count
        Shape (h,): N_h repos of the frame, n_h of them drawn.
    deviation
        Shape (h,): S_h, standard deviation of the target over N_h - 1; 0 for a stratum of one,
        NaN where fewer than two of its targets are known.
    members
        Shape (m,): indices into the frame, by stratum, then by repo_id.
    member_stratum
        Shape (m,): index of each member's stratum.
    """

    strata: tuple[str, ...]
    allocation: Allocation
    seed: int
    labels: list[str]
    pooled: list[str]
    frame_count: Ints
    sample_count: Ints
    deviation: Floats
    members: Ints
    member_stratum: Ints

    @property
    def inclusion_probability(self) -> Floats:
        """Shape (h,): n_h / N_h, the probability with which a repo of a stratum was drawn."""
        return self.sample_count / self.frame_count


def draw_sample(
    frame: Frame,
    *,
    size: int,
    strata: tuple[str, ...],
    allocation: Allocation,
    seed: int,
) -> Sample:
    """Draw a stratified simple random sample without replacement.

    Parameters
    ----------
    size
        Members to draw; all of the frame where it holds no more.
    strata
        Keys of ``frame.columns``; every combination of classes that occurs is a stratum. Where
        ``size`` n cannot give each its least, min(2, N_h), strata are pooled into one, the
        smallest first and equal ones by label: all whose share n · N_h / N is below their least,
        then more until the pool has its own. The target has no part in it.
    allocation
        ``proportional``: n_h ∝ N_h. ``neyman``: n_h ∝ N_h · S_h, which for a given size has the
        least variance of the target's mean; a stratum whose S_h is not known is allocated as if
        it had that of the whole frame. Either way a stratum gets min(2, N_h) at least and N_h at
        most, what it cannot take goes to the others in proportion, and fractions are rounded by
        largest remainder, so that the counts sum to min(size, n).
    seed
        The same frame and seed give the same members, in whatever order the frame's rows are.

    Returns
    -------
    `Sample`. Work is O(n log n) in NumPy; 2.5 million rows take seconds.

    Raises
    ------
    `SampleTooSmall` for less than two; `ValueError` where a repo_id occurs twice.
    """
    if size < LEAST_SAMPLE:
        raise SampleTooSmall(f"a sample has {LEAST_SAMPLE} members at least, not {size}")
    by_id = _order_of_ids(frame.repo_id)
    columns = {name: frame.columns[name][by_id] for name in strata}
    labels, pooled, code = pooled_strata(*_strata_of(columns, len(by_id)), size)
    frame_count = np.bincount(code, minlength=len(labels))
    target = frame.target[by_id]
    deviation = _deviations(target, code, frame_count)
    weight = frame_count.astype(np.float64)
    if allocation == "neyman":
        weight *= np.where(np.isnan(deviation), _deviation(target), deviation)
    sample_count = allocated(min(size, len(by_id)), weight, frame_count)
    drawn = _drawn(code, frame_count, sample_count, np.random.default_rng(seed))
    return Sample(
        strata=strata,
        allocation=allocation,
        seed=seed,
        labels=labels,
        pooled=pooled,
        frame_count=frame_count,
        sample_count=sample_count,
        deviation=deviation,
        members=by_id[drawn],
        member_stratum=code[drawn],
    )


def as_json(
    sample: Sample, frame: Frame, *, sample_id: int, drawn_at: str, target: str
) -> dict[str, Any]:
    """The body of a raw sample file.

    ``drawn_at`` is a time in UTC, ``target`` names what ``frame.target`` holds; a deviation that
    is not known is null.
    """
    strata = zip(
        sample.labels,
        sample.frame_count.tolist(),
        sample.sample_count.tolist(),
        [None if np.isnan(deviation) else deviation for deviation in sample.deviation.tolist()],
        sample.inclusion_probability.tolist(),
        strict=True,
    )
    fields = ("stratum", "frame_count", "sample_count", "deviation", "inclusion_probability")
    ids = frame.repo_id[sample.members].tolist()
    labels = [sample.labels[stratum] for stratum in sample.member_stratum.tolist()]
    return {
        "sample_id": sample_id,
        "seed": sample.seed,
        "drawn_at": drawn_at,
        "strata": list(sample.strata),
        "allocation": sample.allocation,
        "target": target,
        "frame_count": len(frame.repo_id),
        "sample_count": len(ids),
        "stratum": [dict(zip(fields, row, strict=True)) for row in strata],
        "pooled": sample.pooled,
        "members": [list(pair) for pair in zip(ids, labels, strict=True)],
    }


def _order_of_ids(repo_id: npt.NDArray[Any]) -> Ints:
    # Not a fixed-width array: one id of 300 characters would cost a gigabyte for the millions.
    ids = np.asarray(repo_id).astype(np.dtypes.StringDType())
    order = np.argsort(ids, kind="stable")
    ids = ids[order]
    if doubled := ids[1:][ids[1:] == ids[:-1]].tolist():
        raise ValueError(f"{doubled[0]} is in the frame more than once")
    return order


def _strata_of(columns: dict[str, npt.NDArray[Any]], n: int) -> tuple[list[str], Ints]:
    """Label of each stratum that occurs, and the stratum of each row, shape (n,)."""
    combined = np.zeros(n, dtype=np.int64)
    labels = np.array(["all"] if n else [], dtype=object)
    for position, (name, column) in enumerate(columns.items()):
        codes, classes = pd.factorize(np.asarray(column, dtype=object), sort=True)
        occurring, combined = np.unique(combined * len(classes) + codes, return_inverse=True)
        named = np.array([f"{name}={value}" for value in classes], dtype=object)
        outer = labels[occurring // len(classes)] + " | " if position else ""
        labels = outer + named[occurring % len(classes)]
    return labels.tolist(), combined.astype(np.int64)


def _deviations(target: Floats, code: Ints, frame_count: Ints) -> Floats:
    known = ~np.isnan(target)
    value, stratum, h = target[known], code[known], len(frame_count)
    count = np.bincount(stratum, minlength=h)
    mean = np.bincount(stratum, value, h) / np.maximum(count, 1)
    squares = np.bincount(stratum, (value - mean[stratum]) ** 2, h)
    deviation = np.sqrt(squares / np.maximum(count - 1, 1))
    return np.where(frame_count == 1, 0.0, np.where(count < 2, np.nan, deviation))


def _deviation(target: Floats) -> float:
    known = target[~np.isnan(target)]
    return float(np.std(known, ddof=1)) if len(known) > 1 else 1.0


def _drawn(code: Ints, frame_count: Ints, sample_count: Ints, rng: np.random.Generator) -> Ints:
    """Rows, by stratum, of the ``sample_count`` smallest of independent uniform keys in each."""
    shuffled = np.lexsort((rng.random(len(code)), code))
    start = np.cumsum(frame_count) - frame_count
    place = np.arange(len(code)) - np.repeat(start, frame_count)
    drawn = shuffled[place < np.repeat(sample_count, frame_count)]
    return drawn[np.lexsort((drawn, code[drawn]))]
