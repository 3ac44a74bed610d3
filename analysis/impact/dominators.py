"""Dominators: which single node every way from a root leads through.

All roots hang on one super-root; where a cycle has no parents outside itself, any of its members
may be where it began, so all of them do. The immediate dominator of a node with one parent is that
parent. Of a node outside any cycle it is where the ways up from all its parents meet in the
dominator tree so far, so nodes are taken a generation at a time. All ways into a cycle come down
from where those of its outer parents meet, so that a cycle can be settled by itself.

Source: Cooper, Harvey, Kennedy, "A simple, fast dominance algorithm" (2006), for the meeting of
parents; Myers, "An applicative random-access stack" (1983), for the jumps by which ways up are
climbed in logarithmic time.
"""

from __future__ import annotations

from itertools import pairwise

import networkx as nx
import numpy as np

from analysis.impact.graph import Graph, Knots, contract
from analysis.trees import NONE, Ints, generations, ranges


def immediate_dominators(graph: Graph) -> Ints:
    """The immediate dominator of each node.

    Returns
    -------
    Shape (n,): a node; -1 where no single one dominates, as at roots. These are a forest.
    """
    knots = contract(graph)
    tree = _Tree(graph.count)
    generation = generations(knots.graph.child, knots.graph.parent, knots.graph.count)[0]
    order = np.argsort(generation[knots.knot], kind="stable")
    firsts = np.flatnonzero(np.diff(generation[knots.knot[order]], prepend=-1))
    levels = np.append(firsts, len(order))
    parents, starts = _parents(graph)
    for start, stop in pairwise(levels):
        level = order[start:stop]
        plain = level[knots.size[knots.knot[level]] == 1]
        above = parents[ranges(starts[plain], starts[plain + 1])]
        group = np.repeat(np.arange(len(plain)), starts[plain + 1] - starts[plain])
        tree.hang(plain, tree.meetings(group, above, len(plain)))
        _hang_cycles(tree, knots, level[knots.size[knots.knot[level]] > 1], (parents, starts))
    return np.where(tree.up[:-1] == graph.count, NONE, tree.up[:-1])


class _Tree:
    """A dominator tree that grows from the super-root, which is node n.

    Beside the node above, each has a jump to one farther above; any two nodes of one depth jump
    equally far, which lets ways up be climbed in step.
    """

    def __init__(self, count: int) -> None:
        self.root = count
        self.up = np.full(count + 1, count, dtype=np.int64)
        self.jump = self.up.copy()
        self.depth = np.zeros(count + 1, dtype=np.int64)

    def hang(self, nodes: Ints, above: Ints) -> None:
        """Add nodes under others that are there."""
        far = self.jump[above]
        farther = self.jump[far]
        even = self.depth[above] - self.depth[far] == self.depth[far] - self.depth[farther]
        self.up[nodes] = above
        self.jump[nodes] = np.where(even, farther, above)
        self.depth[nodes] = self.depth[above] + 1

    def meetings(self, group: Ints, nodes: Ints, count: int) -> Ints:
        """Where the ways up from all nodes of a group meet; the super-root where a group has none.

        ``group`` is sorted and below ``count``. Nodes are met in pairs, so that rounds are few.
        """
        while True:
            first = np.flatnonzero(np.diff(group, prepend=NONE))
            place = np.arange(len(group)) - np.repeat(first, np.diff(first, append=len(group)))
            odd = np.flatnonzero(place % 2 == 1)
            if not len(odd):
                break
            nodes[odd - 1] = self._meet(nodes[odd - 1], nodes[odd])
            group, nodes = np.delete(group, odd), np.delete(nodes, odd)
        met = np.full(count, self.root, dtype=np.int64)
        met[group] = nodes
        return met

    def _meet(self, one: Ints, other: Ints) -> Ints:
        depth = np.minimum(self.depth[one], self.depth[other])
        one, other = self._lift(one, depth), self._lift(other, depth)
        while (left := np.flatnonzero(one != other)).size:
            a, b = one[left], other[left]
            apart = self.jump[a] != self.jump[b]
            one[left] = np.where(apart, self.jump[a], self.up[a])
            other[left] = np.where(apart, self.jump[b], self.up[b])
        return one

    def _lift(self, nodes: Ints, depth: Ints) -> Ints:
        """The nodes above at given depths."""
        nodes = nodes.copy()
        while (left := np.flatnonzero(self.depth[nodes] > depth)).size:
            at = nodes[left]
            fits = self.depth[self.jump[at]] >= depth[left]
            nodes[left] = np.where(fits, self.jump[at], self.up[at])
        return nodes


def _parents(graph: Graph) -> tuple[Ints, Ints]:
    order = np.argsort(graph.child, kind="stable")
    starts = np.searchsorted(graph.child[order], np.arange(graph.count + 1))
    return graph.parent[order], starts


def _hang_cycles(tree: _Tree, knots: Knots, nodes: Ints, upward: tuple[Ints, Ints]) -> None:
    # Declared cycles are few, and small.
    nodes = nodes[np.argsort(knots.knot[nodes], kind="stable")]
    first = np.flatnonzero(np.diff(knots.knot[nodes], prepend=NONE))
    for members in np.split(nodes, first[1:]) if len(nodes) else []:
        _hang_cycle(tree, set(members.tolist()), upward)


def _hang_cycle(tree: _Tree, members: set[int], upward: tuple[Ints, Ints]) -> None:
    parents, starts = upward
    steps = [(p, c) for c in members for p in parents[starts[c] : starts[c + 1]].tolist()]
    outer = np.array(sorted({p for p, _ in steps} - members), dtype=np.int64)
    gate = int(tree.meetings(np.zeros(len(outer), dtype=np.int64), outer, 1)[0])
    way: nx.DiGraph[int] = nx.DiGraph([step for step in steps if step[0] in members])
    entered = {c for p, c in steps if p not in members} or members
    way.add_edges_from((NONE, member) for member in entered)
    found = nx.immediate_dominators(way, NONE)
    below: nx.DiGraph[int] = nx.DiGraph((above, node) for node, above in found.items())
    for above, node in nx.bfs_edges(below, NONE):
        tree.hang(np.array([node]), np.array([gate if above == NONE else above]))
