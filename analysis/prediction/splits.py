"""Splits: who teaches, who is held out. No family, no owner, or no time is on both sides.

Instances go to four folds: `TEXT` (the weights of tokens are learned), `POOL` (how far text and
votes are to be trusted, which is the calibration), `THRESHOLD` (from which probability on a value
is told) and `TEST`.

- by ``family`` and by ``owner``: a group is in one fold. Groups go there in random order; one that
  holds more than a tenth of all goes to `TEXT`, or a fold would be little else.
- by ``time``: the earliest teach, the latest are the test. Of one moment all are in one fold, and
  those whose creation is not known count as the earliest.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Times = npt.NDArray[np.datetime64]
TEXT, POOL, THRESHOLD, TEST = range(4)
ENDS = (0.55, 0.70, 0.80)
SPLITS = ("family", "owner", "time")
LARGEST_GROUP_SHARE = 0.1


def folds_by_group(group: Ints, rng: np.random.Generator) -> Ints:
    """Fold of each of n instances, shape (n,); those of one group are together."""
    _, at, sizes = np.unique(group, return_inverse=True, return_counts=True)
    large = sizes > LARGEST_GROUP_SHARE * len(group)
    order = rng.permutation(len(sizes))
    order = np.concatenate([order[large[order]], order[~large[order]]])
    middle = np.cumsum(sizes[order]) - sizes[order] / 2
    fold = np.empty(len(sizes), np.int64)
    fold[order] = np.searchsorted(ENDS, middle / len(group), side="right")
    fold[large] = TEXT
    return fold[at]


def folds_by_time(created_at: Times) -> Ints:
    """Fold of each of n instances by UTC time, shape (n,); NaT counts as the earliest."""
    moment = np.where(np.isnat(created_at), np.iinfo(np.int64).min, created_at.astype(np.int64))
    if not len(moment):
        return np.zeros(0, np.int64)
    cuts = np.sort(moment)[[int(end * len(moment)) for end in ENDS]]
    return np.searchsorted(cuts, moment, side="right")


def stratified(label: Ints, most: int, rng: np.random.Generator) -> Ints:
    """At most so many of n instances, each label in its share; their numbers, ascending."""
    if len(label) <= most:
        return np.arange(len(label))
    order = np.lexsort((rng.random(len(label)), label))
    return np.sort(order[np.linspace(0, len(label) - 1, most).astype(np.int64)])
