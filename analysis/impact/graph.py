"""Dependence as a graph of numbered nodes, its cycles contracted to knots."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from analysis.trees import NONE, Ints, ranges

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Graph:
    """Edges child → parent between n nodes, without self-loops or doubled pairs.

    Attributes
    ----------
    child, parent
        Shape (m edges,): nodes, 0 to n - 1.
    count
        n.
    """

    child: Ints
    parent: Ints
    count: int

    def only(self, kept: Bools) -> Graph:
        """The same nodes with some of the edges; ``kept`` has shape (m,)."""
        return Graph(self.child[kept], self.parent[kept], self.count)


@dataclass(frozen=True)
class Knots:
    """A graph whose cycles are contracted: a knot is a strong component, mostly of one node.

    Attributes
    ----------
    knot
        Shape (n nodes,): the knot of each, 0 to k - 1.
    size
        Shape (k,): nodes in each.
    graph
        The acyclic graph of the k knots.
    """

    knot: Ints
    size: Ints
    graph: Graph

    @property
    def only_parent(self) -> Ints:
        """Shape (k,): the knot above, where there is but one, else -1."""
        up = np.full(self.graph.count, NONE, dtype=np.int64)
        up[self.graph.child] = self.graph.parent
        up[self.parent_count != 1] = NONE
        return up

    @property
    def parent_count(self) -> Ints:
        """Shape (k,): distinct knots above each."""
        return np.bincount(self.graph.child, minlength=self.graph.count)


def contract(graph: Graph) -> Knots:
    """Contract the cycles of a graph."""
    ones = np.ones(len(graph.child), dtype=np.int8)
    shape = (graph.count, graph.count)
    matrix = coo_array((ones, (graph.child, graph.parent)), shape=shape).tocsr()
    count, label = connected_components(matrix, directed=True, connection="strong")
    knot = label.astype(np.int64)
    outer = knot[graph.child] != knot[graph.parent]
    pairs = np.sort(knot[graph.child[outer]] * count + knot[graph.parent[outer]])
    pairs = pairs[np.diff(pairs, prepend=NONE) != 0]  # np.unique hashes, many times slower here
    return Knots(
        knot=knot,
        size=np.bincount(knot, minlength=count),
        graph=Graph(pairs // max(count, 1), pairs % max(count, 1), int(count)),
    )


def reached(start: Ints, source: Ints, target: Ints, count: int) -> Bools:
    """Shape (count,): whether steps from source to target lead to a node from any start.

    A start counts only where a step leads back to it or from another start.
    """
    order = np.argsort(source, kind="stable")
    target, starts = target[order], np.searchsorted(source[order], np.arange(count + 1))
    found = np.zeros(count, dtype=bool)
    level = start
    while len(level):
        there = target[ranges(starts[level], starts[level + 1])]
        level = np.unique(there[~found[there]])
        found[level] = True
    return found


def cut_off(graph: Graph, lost: Bools) -> Bools:
    """Shape (n,): whether every way from a root to a node leads through a lost one above it.

    A cycle without parents outside itself may have begun at any of its members.
    """
    knots = contract(graph)
    begins = knots.parent_count[knots.knot] == 0
    kept = graph.only(~lost[graph.parent])
    whole = reached(np.flatnonzero(begins), kept.parent, kept.child, graph.count)
    return np.asarray(~(whole | begins))
