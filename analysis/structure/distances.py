"""Distances within families: the Wiener index of trees, and how far members of a family are apart.

The Wiener index of a tree is the sum of the distances of all pairs of its nodes. Each edge lies on
as many shortest paths as there are pairs that it parts, so it is a sum over edges; see Mohar,
Pisanski, "How to compute the Wiener index of a graph", J. Math. Chem. 2 (1988). Divided by the
number of pairs it is the structural virality of Goel, Anderson, Hofman, Watts, "The Structural
Virality of Online Diffusion", Management Science 62 (2016): about 2 where all come of one model,
more where they come of one another.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import breadth_first_order, shortest_path

from analysis.study.resampling import Interval, percentile_interval

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
NONE = -1
EXACT_UP_TO = 256  # members; of larger families that are no trees, so many are sources
SOURCES = 128
REPLICATES = 400


@dataclass(frozen=True)
class Distance:
    """Mean distance of two members of a family, along edges in either direction.

    Attributes
    ----------
    mean
        In edges.
    low, high
        95 % interval of a mean over sampled sources; None where it is over all.
    source_count
        Members whose distances to all others were taken.
    """

    mean: float
    low: float | None
    high: float | None
    source_count: int


def depths(up: Ints) -> Ints:
    """Steps from each node of a forest to its root.

    Parameters
    ----------
    up
        Shape (n,): the parent of each node, -1 at a root; walking up ends.

    Returns
    -------
    Shape (n,). Pointers are doubled, so a chain of a million takes twenty rounds.
    """
    depth: Ints = (up != NONE).astype(np.int64)
    ahead = np.where(up == NONE, np.arange(len(up)), up)
    while True:
        further = ahead[ahead]
        if np.array_equal(further, ahead):
            return depth
        depth = depth + depth[ahead]
        ahead = further


def subtree_sizes(up: Ints) -> Ints:
    """How many nodes of a forest are at or below each, shape (n,)."""
    depth = depths(up)
    size = np.ones(len(up), np.int64)
    order = np.argsort(depth, kind="stable")
    ends = np.searchsorted(depth[order], np.arange(1, int(depth.max(initial=0)) + 2))
    for level in range(len(ends) - 1, 0, -1):
        nodes = order[ends[level - 1] : ends[level]]
        np.add.at(size, up[nodes], size[nodes])
    return size


def wiener_indices(up: Ints, root: Ints) -> Ints:
    """Wiener index of each tree of a forest, exact.

    Parameters
    ----------
    up, root
        Shape (n,): parent of each node (-1 at a root), and the root that it stands below.

    Returns
    -------
    Shape (n,): at each root the sum of the distances of all pairs of its tree, else 0. A tree of
    one node has 0. Exact up to trees of two million nodes in a row.
    """
    size = subtree_sizes(up)
    below = np.flatnonzero(up != NONE)
    parted = size[below] * (size[root[below]] - size[below])
    total = np.zeros(len(up), np.int64)
    np.add.at(total, root[below], parted)
    return total


def undirected(child: Ints, parent: Ints, n: int) -> csr_array:
    """The graph of n nodes in which an edge leads both ways, once."""
    ends, others = np.r_[child, parent], np.r_[parent, child]
    graph = coo_array((np.ones(len(ends), np.int8), (ends, others)), shape=(n, n)).tocsr()
    graph.sum_duplicates()
    graph.data[:] = 1
    return graph


def mean_distance(graph: csr_array, rng: np.random.Generator) -> Distance:
    """Mean distance of two nodes of a connected graph.

    Parameters
    ----------
    graph
        Shape (n, n), n ≥ 2, as `undirected` makes it.

    Returns
    -------
    Exact up to `EXACT_UP_TO` nodes. Beyond, `SOURCES` nodes are drawn without replacement and
    their distances to all others taken; the interval resamples the drawn nodes.
    """
    n = graph.shape[0]
    if n <= EXACT_UP_TO:
        all_pairs = shortest_path(graph, directed=False, unweighted=True)
        return Distance(float(all_pairs.sum() / (n * (n - 1))), None, None, n)
    sources = rng.choice(n, SOURCES, replace=False)
    means = np.array([_distance_sum(graph, int(source)) for source in sources]) / (n - 1)
    found = _interval(means, rng)
    return Distance(float(means.mean()), found.low, found.high, SOURCES)


def _interval(means: Floats, rng: np.random.Generator) -> Interval:
    drawn = rng.integers(0, len(means), (REPLICATES, len(means)))
    return percentile_interval(means[drawn].mean(axis=1), "draw")


def _distance_sum(graph: csr_array, source: int) -> int:
    # Breadth first, nodes come level by level, and so do their predecessors: a level is all that
    # was reached from the level before.
    order, predecessor = breadth_first_order(graph, source, directed=True)
    place = np.empty(graph.shape[0], np.int64)
    place[order] = np.arange(len(order))
    reached_from = place[predecessor[order[1:]]]
    total, level, start, end = 0, 0, 0, 1
    while end < len(order):
        level += 1
        start, end = end, 1 + int(np.searchsorted(reached_from, end))
        total += level * (end - start)
    return total
