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
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from crawler import CrawlError

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Allocation = Literal["proportional", "neyman"]

STRATA = ("pipeline_tag", "size", "popularity", "cohort")
UNKNOWN = "unknown"
# Two of a stratum at least, or its variance cannot be estimated.
LEAST_OF_STRATUM = 2
# The Hub gives every older repo this one time of creation.
LEFT_TRUNCATED_AT = datetime(2022, 3, 2, 23, 29, 4, tzinfo=UTC)
BYTES_A_PARAMETER = 2
SIZES = (
    (100_000_000, "<100M"),
    (1_000_000_000, "100M-1B"),
    (3_000_000_000, "1B-3B"),
    (8_000_000_000, "3B-8B"),
    (30_000_000_000, "8B-30B"),
)
POPULARITIES = (
    (1, "0"),
    (10, "1-9"),
    (100, "10-99"),
    (1_000, "100-999"),
    (10_000, "1k-9k"),
)


class StrataUnreadable(CrawlError):
    """Strata were named that there are none of."""


class SampleTooSmall(CrawlError):
    """There are more strata than a sample of this size can cover."""


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
        Shape (h,): ``"pipeline_tag=… | size=…"``; ``"all"`` where the frame is one stratum.
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
    frame_count: Ints
    sample_count: Ints
    deviation: Floats
    members: Ints
    member_stratum: Ints

    @property
    def inclusion_probability(self) -> Floats:
        """Shape (h,): n_h / N_h, the probability with which a repo of a stratum was drawn."""
        return self.sample_count / self.frame_count


def parse_strata(text: str) -> tuple[str, ...]:
    """Names out of `STRATA`, comma-separated; ``none`` for one stratum of all.

    Raises `StrataUnreadable`.
    """
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    if names == ("none",):
        return ()
    if unknown := [name for name in names if name not in STRATA]:
        raise StrataUnreadable(
            f"no strata by {', '.join(map(repr, unknown))}; there are {', '.join(STRATA)}"
        )
    return names


def size_class(parameter_count: int | None, used_storage_bytes: int | None) -> str:
    """Class of a model's size in parameters.

    Where only the storage is known, two bytes are taken for a parameter, and the class is marked
    (``"~1B-3B"``): storage holds every format and every past commit, so such a class tends to be
    too high and must not be mixed with a counted one. Negative numbers are unknown.
    """
    if parameter_count is not None and parameter_count >= 0:
        return _class_of(parameter_count, SIZES, "30B+")
    if used_storage_bytes is not None and used_storage_bytes >= 0:
        return "~" + _class_of(used_storage_bytes // BYTES_A_PARAMETER, SIZES, "30B+")
    return UNKNOWN


def popularity_class(downloads: int | None) -> str:
    """Class of a model's downloads (the Hub's figure for 30 days); negative ones are unknown."""
    if downloads is None or downloads < 0:
        return UNKNOWN
    return _class_of(downloads, POPULARITIES, "10k+")


def cohort(created_at: str | None) -> str:
    """Month of creation in UTC, ``YYYY-MM``; ``"unknown"`` where there is no readable time.

    The Hub gives all repos from before 2022-03-02T23:29:04Z that very time: they are one class,
    ``"before 2022-03"``.
    """
    try:
        created = datetime.fromisoformat(created_at or "")
    except ValueError:
        return UNKNOWN
    moment = created.astimezone(UTC) if created.tzinfo else created.replace(tzinfo=UTC)
    return "before 2022-03" if moment <= LEFT_TRUNCATED_AT else f"{moment:%Y-%m}"


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
        Keys of ``frame.columns``; every combination of classes that occurs is a stratum.
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
    `SampleTooSmall` where ``size`` cannot give every stratum its least; `ValueError` where a
    repo_id occurs twice.
    """
    by_id = _order_of_ids(frame.repo_id)
    labels, code = _strata_of({name: frame.columns[name][by_id] for name in strata}, len(by_id))
    frame_count = np.bincount(code, minlength=len(labels))
    target = frame.target[by_id]
    deviation = _deviations(target, code, frame_count)
    weight = frame_count.astype(np.float64)
    if allocation == "neyman":
        weight *= np.where(np.isnan(deviation), _deviation(target), deviation)
    sample_count = _allocated(min(size, len(by_id)), weight, frame_count)
    drawn = _drawn(code, frame_count, sample_count, np.random.default_rng(seed))
    return Sample(
        strata=strata,
        allocation=allocation,
        seed=seed,
        labels=labels,
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
        "members": [list(pair) for pair in zip(ids, labels, strict=True)],
    }


def _class_of(number: int, bounds: tuple[tuple[int, str], ...], above: str) -> str:
    return next((name for bound, name in bounds if number < bound), above)


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


def _allocated(total: int, weight: Floats, frame_count: Ints) -> Ints:
    least = np.minimum(LEAST_OF_STRATUM, frame_count)
    if least.sum() > total:
        raise SampleTooSmall(
            f"a sample of {total:,} cannot cover {len(frame_count):,} strata; draw"
            f" {least.sum():,} at least, or name fewer strata"
        )
    exact, counted = least.astype(np.float64), weight > 0
    room = min(total - least[~counted].sum(), frame_count[counted].sum())
    exact[counted] = _shares(room, weight[counted], least[counted], frame_count[counted])
    # A stratum without variance needs no more than its least, unless there is nobody else.
    rest = ~counted
    left = total - exact[counted].sum()
    exact[rest] = _shares(left, frame_count[rest].astype(float), least[rest], frame_count[rest])
    return _rounded(exact, total, frame_count)


def _shares(total: float, weight: Floats, least: Ints, most: Ints) -> Floats:
    """Sum to ``total``, in proportion to ``weight`` but for strata held at a bound."""
    if not len(weight):
        return np.zeros(0)
    # The sum grows piecewise linearly with the scale: a stratum starts at its least and stops at
    # its most, and the scale that is wanted lies between two such points.
    scale = np.concatenate([least / weight, most / weight])
    order = np.argsort(scale, kind="stable")
    slope = np.cumsum(np.concatenate([weight, -weight])[order])[:-1]
    scale = scale[order]
    reached = least.sum() + np.concatenate([[0.0], np.cumsum(slope * np.diff(scale))])
    shares: Floats = np.clip(np.interp(total, reached, scale) * weight, least, most)
    return shares


def _rounded(exact: Floats, total: int, most: Ints) -> Ints:
    count = np.minimum(np.floor(exact + 1e-6).astype(np.int64), most)
    remainder = np.where(count < most, exact - count, -np.inf)
    largest = np.argsort(-remainder, kind="stable")[: total - count.sum()]
    count[largest] += 1
    return count


def _drawn(code: Ints, frame_count: Ints, sample_count: Ints, rng: np.random.Generator) -> Ints:
    """Rows, by stratum, of the ``sample_count`` smallest of independent uniform keys in each."""
    shuffled = np.lexsort((rng.random(len(code)), code))
    start = np.cumsum(frame_count) - frame_count
    place = np.arange(len(code)) - np.repeat(start, frame_count)
    drawn = shuffled[place < np.repeat(sample_count, frame_count)]
    return drawn[np.lexsort((drawn, code[drawn]))]
