"""Robust twins: the same number where no single owner, no bulk upload and no cut date decides it.

Every figure of a hub is dominated by few owners: one quantizer makes more edges than ten thousand
others. A twin weighs the rows that a number is a mean over:

- ``raw``: each row counts once, as the studies count.
- ``owner_capped``: the rows of one owner weigh together at most as much as `OWNER_CAP` rows.
- ``no_bulk``: rows of bulk uploaders and bots (relation ``bulk_uploader``) count nothing.
- ``dated``: only rows whose creation is known; the Hub gives all repos from before March 2022 one
  and the same time.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
OWNER_CAP = 10
TWINS = ("raw", "owner_capped", "no_bulk", "dated")


def twin_weights(owner: Ints, is_bulk: Bools, is_dated: Bools) -> dict[str, Floats]:
    """Weights of rows, by twin.

    Parameters
    ----------
    owner
        Shape (n rows,): number of the owner who made each; of an edge, the child's.
    is_bulk, is_dated
        Shape (n,): whether that owner uploads in bulk; whether the row's creation is known.

    Returns
    -------
    By name of `TWINS`, shape (n,), each from 0 to 1.
    """
    return {
        "raw": np.ones(len(owner)),
        "owner_capped": capped(owner),
        "no_bulk": (~is_bulk).astype(np.float64),
        "dated": is_dated.astype(np.float64),
    }


def capped(owner: Ints, cap: int = OWNER_CAP) -> Floats:
    """Shape (n,): min(1, cap / rows of the row's owner)."""
    _, group, counts = np.unique(owner, return_inverse=True, return_counts=True)
    return np.minimum(1.0, cap / counts[group])
