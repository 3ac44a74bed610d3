"""How the members of a sample are shared out among strata.

Source: Neyman, "On the two different aspects of the representative method" (1934); Cochran,
Sampling Techniques (3rd ed., 1977), chapter 5.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

# Two of a stratum at least, or its variance cannot be estimated.
LEAST_OF_STRATUM = 2


def pooled_strata(labels: list[str], code: Ints, size: int) -> tuple[list[str], list[str], Ints]:
    """Pool the smallest strata into one where a sample cannot give every stratum its least.

    Which ones are pooled hangs on N_h, the repos of each stratum, and on their order alone: the
    smallest first, equal ones in the order given. First all whose share of the sample of n is
    below their least, n · N_h / N < min(2, N_h); then more, until the pool gets its least too.

    Parameters
    ----------
    labels
        Shape (h,).
    code
        Shape (N,): stratum of each repo, 0 to h - 1, each at least once.
    size
        n, 2 at least.

    Returns
    -------
    Labels of the strata to sample, the pool last; labels of those that are in it, none where all
    get their least; and the stratum of each repo, shape (N,).
    """
    frame_count = np.bincount(code, minlength=len(labels))
    count = _pooled_count(frame_count, size)
    if count == 0:
        return labels, [], code
    is_pooled = np.zeros(len(labels), dtype=bool)
    is_pooled[np.argsort(frame_count, kind="stable")[:count]] = True
    kept, pooled = (
        np.array(labels, dtype=object)[which].tolist() for which in (~is_pooled, is_pooled)
    )
    renumbered = np.where(is_pooled, len(kept), np.cumsum(~is_pooled) - 1)
    return [*kept, f"pooled ({count:,} strata)"], pooled, renumbered[code]


def _pooled_count(frame_count: Ints, size: int) -> int:
    """How many of the smallest strata to pool, so that each stratum that is left gets its least."""
    n = int(frame_count.sum())
    total = min(size, n)
    ascending = np.sort(frame_count)
    least = np.minimum(LEAST_OF_STRATUM, ascending)
    if least.sum() <= total:
        return 0
    too_small = int(np.searchsorted(ascending * total, LEAST_OF_STRATUM * n))
    # By number of strata pooled, 0 to h: what the pool and those left beside it need at least.
    pool = np.minimum(LEAST_OF_STRATUM, np.concatenate([[0], np.cumsum(ascending)]))
    needed = pool + least.sum() - np.concatenate([[0], np.cumsum(least)])
    return too_small + int(np.argmax(needed[too_small:] <= total))


def allocated(total: int, weight: Floats, frame_count: Ints) -> Ints:
    """Share a sample out in proportion to weights.

    Parameters
    ----------
    total
        n: between the sum of all leasts, min(2, N_h), and N.
    weight
        Shape (h,), not negative: N_h, or N_h · S_h for Neyman allocation.
    frame_count
        Shape (h,): N_h.

    Returns
    -------
    Shape (h,), summing to n: each stratum's least at least and N_h at most; what one cannot take
    goes to the others in proportion; fractions are rounded by largest remainder.
    """
    least = np.minimum(LEAST_OF_STRATUM, frame_count)
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
