"""How unequally a quantity is spread over those who hold it.

Source: Gini, "Variabilità e mutabilità" (1912); Lorenz, "Methods of Measuring the Concentration of
Wealth", Publ. Am. Stat. Assoc. 9 (1905); Hoover, "The Measurement of Industrial Localization", Rev.
Econ. Stat. 18 (1936).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
INDICES = ("gini", "hoover", "top_1_percent_share", "top_10_share")
TOP = 10


def inequality(amounts: Ints | Floats, holders: Ints) -> dict[str, float] | None:
    """The `INDICES` of a quantity.

    Parameters
    ----------
    amounts, holders
        Shape (u,): distinct amounts ≥ 0 in rising order, and how many hold each.

    Returns
    -------
    gini
        Mean absolute difference of two holders (with themselves too) over twice the mean: 0 where
        all hold the same, 1 - 1/n where one of n holds all.
    hoover
        Share that would have to change hands for all to hold the same.
    top_1_percent_share, top_10_share
        Share held by the largest hundredth of the holders (rounded up), and by the ten largest.

    None where nobody holds anything: shares of nothing are not told.
    """
    held = holders > 0
    amount, count = amounts[held].astype(np.float64), holders[held].astype(np.float64)
    n, total = float(count.sum()), float((amount * count).sum())
    if not total:
        return None
    rising = np.cumsum(amount * count)
    before = rising - amount * count
    gini = 1 - float((count * (before + rising)).sum()) / (n * total)
    hoover = float((count * np.abs(amount - total / n)).sum()) / (2 * total)
    return {
        "gini": max(gini, 0.0),
        "hoover": hoover,
        "top_1_percent_share": _top_share(amount, count, float(np.ceil(n / 100))),
        "top_10_share": _top_share(amount, count, float(TOP)),
    }


def lorenz(amounts: Ints | Floats, holders: Ints, shares: Floats) -> Floats:
    """Share of the whole that the poorest holders have together.

    Parameters
    ----------
    amounts, holders
        As in `inequality`; somebody holds something.
    shares
        Shape (k,): shares of the holders, 0 to 1; between two holders the curve is straight.
    """
    people = np.r_[0.0, np.cumsum(holders)] / holders.sum()
    held = np.r_[0.0, np.cumsum(amounts * holders.astype(np.float64))]
    return np.asarray(np.interp(shares, people, held / held[-1]))


def resampled_inequality(
    amounts: Ints | Floats, holders: Ints, rng: np.random.Generator, replicates: int
) -> dict[str, Floats]:
    """The `INDICES` of samples of as many holders, drawn with replacement; shape (≤ replicates,).

    Samples in which nobody holds anything are left out.
    """
    drawn = rng.multinomial(holders.sum(), holders / holders.sum(), replicates)
    found = [one for one in (inequality(amounts, times) for times in drawn) if one]
    return {name: np.array([one[name] for one in found]) for name in INDICES}


def _top_share(amount: Floats, count: Floats, top: float) -> float:
    falling = np.cumsum(count[::-1])
    taken = np.clip(top - (falling - count[::-1]), 0, count[::-1])
    return float((taken * amount[::-1]).sum() / (amount * count).sum())
