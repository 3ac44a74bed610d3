"""Heavy tails: a discrete power law fitted to counts, how sure it is, and whether it fits at all.

A sample is held as a histogram: its distinct sizes and how often each is met, so that a million
families cost as much as a thousand. Of the candidates for ``xmin``, where the law begins, that with
the least Kolmogorov-Smirnov distance is taken.

Source: Clauset, Shalizi, Newman, "Power-law distributions in empirical data", SIAM Review 51
(2009), sections 3 and 4 and appendix B; doi:10.1137/070710111.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import zeta

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
FEWEST_IN_TAIL = 50  # fewer tell no exponent; so Clauset, Shalizi, Newman, section 4
CANDIDATES = 40
ALPHAS = (1.0001, 10.0)
STEP = 1e-4  # of numeric derivatives
EXACT_DRAWS = 20_000  # sizes above xmin drawn from exact probabilities


@dataclass(frozen=True)
class PowerLaw:
    """A fitted law p(x) = x^-alpha / ζ(alpha, xmin) for whole x ≥ xmin.

    Attributes
    ----------
    alpha, xmin
        Exponent, and the smallest size that the law is about.
    distance
        Kolmogorov-Smirnov distance from the sizes ≥ xmin, 0 to 1.
    tail_count, count
        How many of the sizes are ≥ xmin, and all.
    """

    alpha: float
    xmin: int
    distance: float
    tail_count: int
    count: int


def histogram(sizes: Ints) -> tuple[Ints, Ints]:
    """Distinct sizes in rising order, and how often each is met."""
    return np.unique(sizes, return_counts=True)


def fit_power_law(sizes: Ints, counts: Ints) -> PowerLaw | None:
    """Fit a discrete power law by maximum likelihood.

    Parameters
    ----------
    sizes, counts
        Shape (u distinct sizes,): whole numbers ≥ 1 in rising order, and how often each is met.

    Returns
    -------
    The law; None where no two distinct sizes with `FEWEST_IN_TAIL` of them are left above any xmin.

    Notes
    -----
    Of more than `CANDIDATES` possible xmin, so many evenly spaced in rank are tried.
    """
    sizes, counts = sizes[counts > 0], counts[counts > 0]
    above = np.cumsum(counts[::-1])[::-1]
    starts = _starts(above)
    if not len(starts):
        return None
    logs = np.cumsum((counts * np.log(sizes))[::-1])[::-1]
    alphas = _exponents(sizes[starts].astype(float), logs[starts] / above[starts])
    distances = np.array(
        [_distance(sizes[at:], above[at:], alpha) for at, alpha in zip(starts, alphas, strict=True)]
    )
    # An exponent at the edge is none: all sizes are all but equal, or without bound.
    distances[(alphas <= ALPHAS[0]) | (alphas >= ALPHAS[1])] = np.inf
    best = int(np.argmin(distances))
    if not np.isfinite(distances[best]):
        return None
    at = int(starts[best])
    return PowerLaw(
        alpha=float(alphas[best]),
        xmin=int(sizes[at]),
        distance=float(distances[best]),
        tail_count=int(above[at]),
        count=int(above[0]),
    )


def bootstrap_alpha(
    sizes: Ints, cluster: Ints, rng: np.random.Generator, replicates: int
) -> Floats:
    """Exponents of samples in which whole clusters are drawn with replacement.

    Parameters
    ----------
    sizes, cluster
        Shape (n,): each size and the number of what it is resampled with.

    Returns
    -------
    Shape (≤ replicates,): xmin is looked for in each anew; samples without a fit are left out.
    """
    distinct, place = np.unique(sizes, return_inverse=True)
    numbers, group = np.unique(cluster, return_inverse=True)
    found = []
    for _ in range(replicates):
        drawn = rng.integers(0, len(numbers), len(numbers))
        times = np.bincount(drawn, minlength=len(numbers))[group]
        counts = np.bincount(place, times, len(distinct)).astype(np.int64)
        law = fit_power_law(distinct, counts)
        if law:
            found.append(law.alpha)
    return np.array(found)


def goodness(
    sizes: Ints, counts: Ints, law: PowerLaw, *, rng: np.random.Generator, replicates: int
) -> float:
    """Share of samples from the law that lie as far from their own fit as the sizes from theirs.

    Parameters
    ----------
    sizes, counts
        Shape (u,): the histogram that ``law`` was fitted to.

    Returns
    -------
    p, 0 to 1; below 0.1 the law is ruled out. Below xmin samples are drawn from the sizes
    themselves (semi-parametric bootstrap; Clauset, Shalizi, Newman 2009, section 4.1).
    """
    body = sizes < law.xmin
    farther = 0
    for _ in range(replicates):
        tail_count = rng.binomial(law.count, law.tail_count / law.count)
        drawn = draw_power_law(rng, law.alpha, law.xmin, size=tail_count)
        above, times = np.unique(drawn, return_counts=True)
        below = _draw_body(counts[body], law.count - tail_count, rng)
        again = fit_power_law(np.r_[sizes[body], above], np.r_[below, times])
        farther += again is not None and again.distance >= law.distance
    return farther / replicates


def draw_power_law(rng: np.random.Generator, alpha: float, xmin: int, *, size: int) -> Ints:
    """Whole numbers ≥ xmin of a discrete power law, shape (size,).

    Of the first `EXACT_DRAWS` numbers each has its exact probability; beyond, the law is rounded
    from the continuous one, which is off there by less than one in 10⁸ (appendix D of the source).
    """
    table = np.arange(xmin, xmin + EXACT_DRAWS, dtype=float)
    survival = zeta(alpha, table) / zeta(alpha, float(xmin))
    chance = 1.0 - rng.random(size)
    # the largest x whose survival is still as high
    drawn = xmin + np.searchsorted(-survival, -chance, side="right") - 1
    far = chance <= survival[-1]
    reach = (chance[far] / survival[-1]) ** (-1 / (alpha - 1))
    drawn[far] = np.minimum((table[-1] - 0.5) * reach + 0.5, 2.0**62).astype(np.int64)
    return np.asarray(drawn, np.int64)


def survival_of(law: PowerLaw, sizes: Ints) -> Floats:
    """P(X ≥ x) under the law, of each size ≥ xmin."""
    share: Floats = zeta(law.alpha, sizes.astype(float)) / zeta(law.alpha, float(law.xmin))
    return share


def _starts(above: Ints) -> Ints:
    possible = np.flatnonzero(above[:-1] >= FEWEST_IN_TAIL)  # two distinct sizes at least
    if len(possible) <= CANDIDATES:
        return possible
    ranks = np.linspace(0, len(possible) - 1, CANDIDATES)
    return possible[np.unique(ranks.round().astype(np.int64))]


def _exponents(xmin: Floats, mean_log: Floats) -> Floats:
    # Newton's steps on the likelihood of all candidates at once; it is convex in alpha.
    alpha = np.clip(1 + 1 / np.maximum(mean_log - np.log(xmin - 0.5), 1e-9), 1.05, ALPHAS[1])
    for _ in range(20):
        before = alpha
        here = np.log(zeta(alpha, xmin))
        up, down = np.log(zeta(alpha + STEP, xmin)), np.log(zeta(alpha - STEP, xmin))
        slope = (up - down) / (2 * STEP) + mean_log
        curve = np.maximum((up - 2 * here + down) / STEP**2, 1e-12)
        # never more than half the way to the pole at 1
        alpha = np.clip(alpha - slope / curve, 1 + (alpha - 1) / 2, ALPHAS[1])
        alpha = np.maximum(alpha, ALPHAS[0] + STEP)
        if np.abs(alpha - before).max() < 1e-9:
            break
    alpha[alpha <= ALPHAS[0] + 2 * STEP] = ALPHAS[0]
    return alpha


def _distance(sizes: Ints, above: Ints, alpha: float) -> float:
    # The sample's survival is a stair: the law is farthest from it on either side of a step.
    x = sizes.astype(float)
    norm = zeta(alpha, x[0])
    law = zeta(alpha, x) / norm
    seen = above / above[0]
    law_after = law - x**-alpha / norm
    seen_after = np.append(seen[1:], 0.0)
    return float(max(np.abs(law - seen).max(), np.abs(law_after - seen_after).max()))


def _draw_body(counts: Ints, size: int, rng: np.random.Generator) -> Ints:
    if not len(counts):
        return counts
    return rng.multinomial(size, counts / counts.sum())
