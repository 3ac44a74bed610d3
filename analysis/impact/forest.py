"""Sums and distinct counts below every node of a forest, at once.

Nodes are laid out in preorder, so that what lies below a node is one run of places: a sum over it
is a difference of two running sums. Distinct colours below each node follow from neighbours of one
colour, counted back at the place where their ways up meet.

Source: for distinct colours, Muthukrishnan, "Efficient algorithms for document retrieval problems"
(2002), the tree form of it by Hui, "Color set size problem" (1992).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from analysis.trees import NONE, Ints

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Forest:
    """Rooted trees; every array has shape (n nodes,).

    Attributes
    ----------
    up
        The node above; -1 at a root.
    place
        Place in preorder: a node comes before all that lies below it.
    size
        Nodes below it and itself; they take the places from ``place`` to ``place + size``.
    """

    up: Ints
    place: Ints
    size: Ints


def lay_forest(up: Ints) -> Forest:
    """Lay out a forest given by the node above each (-1 at a root); it must hold no cycle.

    Work is O(n log n), and one round of NumPy a level.
    """
    order, starts = _levels(up)
    size = np.ones(len(up), dtype=np.int64)
    for start, stop in zip(starts[-2:0:-1], starts[:1:-1], strict=True):
        level = order[start:stop]
        np.add.at(size, up[level], size[level])
    before = np.empty(len(up), dtype=np.int64)
    before[order] = _sums_before(up[order], size[order])
    place = before.copy()
    for start, stop in pairwise(starts[1:]):
        level = order[start:stop]
        place[level] += place[up[level]] + 1
    return Forest(up, place, size)


def sums_below(forest: Forest, values: Ints) -> Ints:
    """Sums of values below each node, itself included.

    Parameters
    ----------
    values
        Shape (n,) or (n, k columns). Whole numbers, so that no rounding is left of big trees.

    Returns
    -------
    Shape of ``values``.
    """
    running = np.zeros((len(values) + 1, *values.shape[1:]), dtype=np.int64)
    running[forest.place + 1] = values
    np.cumsum(running, axis=0, out=running)
    below: Ints = running[forest.place + forest.size] - running[forest.place]
    return below


def colours_below(forest: Forest, colour: Ints, is_seen: Bools) -> Ints:
    """How many distinct colours the seen nodes below each node have, itself left out.

    Parameters
    ----------
    colour
        Shape (n,): number of each node's colour.
    is_seen
        Shape (n,): whether a node's colour counts.

    Returns
    -------
    Shape (n,).
    """
    seen = np.flatnonzero(is_seen)
    seen = seen[np.lexsort((forest.place[seen], colour[seen]))]
    first, second = seen[:-1], seen[1:]
    alike = colour[first] == colour[second]
    first, second = first[alike], second[alike]
    counted = np.zeros(len(colour) + 1, dtype=np.int64)
    counted[forest.place[seen]] = 1
    meeting = _meetings(forest, forest.place[first], forest.place[second])
    np.subtract.at(counted, meeting, 1)  # -1, where trees differ, is the place past the last
    below = sums_below(forest, counted[forest.place])
    # A node is the only one of its colour below itself unless the next of that colour is, too.
    below[seen] -= 1
    inside = forest.place[second] < forest.place[first] + forest.size[first]
    below[first[inside]] += 1
    return below


def _levels(up: Ints) -> tuple[Ints, Ints]:
    """Nodes by depth, then by what is above them; and where each depth starts, with the end."""
    depth, end = (up != NONE).astype(np.int64), np.where(up == NONE, np.arange(len(up)), up)
    while (depth[end] > 0).any():
        depth, end = depth + depth[end], end[end]
    order = np.lexsort((up, depth))
    return order, np.searchsorted(depth[order], np.arange(depth.max(initial=-1) + 2))


def _sums_before(group: Ints, values: Ints) -> Ints:
    """Of sorted groups: the sum of the values that stand before each within its group."""
    running = np.cumsum(values) - values
    first = np.flatnonzero(np.diff(group, prepend=NONE - 1))
    return running - np.repeat(running[first], np.diff(first, append=len(group)))


def _meetings(forest: Forest, first: Ints, second: Ints) -> Ints:
    """Places where the ways up of two places meet, first < second; -1 where in no tree.

    That is the least place above any of those from ``first``, without it, to ``second``.
    """
    above = np.empty(len(forest.up), dtype=np.int64)
    above[forest.place] = np.where(forest.up == NONE, NONE, forest.place[forest.up])
    meeting = np.empty(len(first), dtype=np.int64)
    power = np.frexp(second - first)[1] - 1
    span = 1
    for level in range(int(power.max(initial=-1)) + 1):
        asked = np.flatnonzero(power == level)
        left, right = first[asked] + 1, second[asked] - span + 1
        meeting[asked] = np.minimum(above[left], above[right])
        above = np.minimum(above[:-span], above[span:])
        span *= 2
    return meeting
