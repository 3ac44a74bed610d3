"""Pairs of models to compare: random, parent and child, siblings, grandparent and grandchild.

Each kind of pair is drawn so that every edge weighs the same: for each child of some parent one of
its siblings, not all pairs of siblings, of which a parent of 60,000 children has 1.8 billion and
everybody else next to none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.study.measures import Study

Ints = npt.NDArray[np.int64]
PAIR_COUNT = 10_000
NONE = -1


@dataclass(frozen=True)
class Pairs:
    """n pairs of one kind, by node number.

    Attributes
    ----------
    first, second
        Shape (n,): the child, or either of two; and its relative.
    source
        Shape (n,): the parent that the two have in common or between them, whose text they may
        have inherited; -1 where there is none.
    """

    first: Ints
    second: Ints
    source: Ints

    def __len__(self) -> int:
        return len(self.first)

    def part(self, keep: npt.NDArray[np.bool_] | Ints) -> Pairs:
        """Some of them."""
        return Pairs(self.first[keep], self.second[keep], self.source[keep])


def draw_pairs(study: Study, count: int = PAIR_COUNT) -> dict[str, Pairs]:
    """Up to ``count`` pairs of each kind, both ends known; all there are where they are fewer.

    Returns
    -------
    By kind: ``random``, ``parent_child``, ``siblings``, ``grandparent``.
    """
    known = study.arrays("select known from node order by node")["known"].astype(bool)
    edges = study.arrays("select child, parent from kin order by edge")
    child, parent = edges["child"], edges["parent"]
    rng = study.generator("pairs")
    families = {
        "parent_child": Pairs(child, parent, parent),
        "siblings": _siblings(child, parent, known, rng),
        "grandparent": _grandparents(child, parent, rng),
    }
    drawn = {"random": _random(np.flatnonzero(known), count, rng)}
    for kind, pairs in families.items():
        fit = known[pairs.first] & known[pairs.second] & (pairs.first != pairs.second)
        drawn[kind] = _some(pairs.part(fit), count, rng)
    return drawn


def _random(nodes: Ints, count: int, rng: np.random.Generator) -> Pairs:
    if len(nodes) < 2:
        nodes = nodes[:0]
        return Pairs(nodes, nodes, nodes)
    at = rng.integers(0, len(nodes), count)
    # any but itself
    other = (at + rng.integers(1, len(nodes), count)) % len(nodes)
    return Pairs(nodes[at], nodes[other], np.full(count, NONE))


def _siblings(
    child: Ints, parent: Ints, known: npt.NDArray[np.bool_], rng: np.random.Generator
) -> Pairs:
    """Each edge's child with one other child of the same parent, known ones alone."""
    keep = known[child]
    child, parent = child[keep], parent[keep]
    order = np.argsort(parent, kind="stable")
    child, parent = child[order], parent[order]
    start = np.searchsorted(parent, parent, side="left")
    size = np.searchsorted(parent, parent, side="right") - start
    has = size > 1
    place = np.arange(len(child)) - start
    step = rng.integers(1, np.maximum(size, 2))
    other = child[start + (place + step) % np.maximum(size, 1)]
    return Pairs(child[has], other[has], parent[has])


def _grandparents(child: Ints, parent: Ints, rng: np.random.Generator) -> Pairs:
    """Each edge's child with one parent of its parent."""
    order = np.argsort(child, kind="stable")
    children, parents = child[order], parent[order]
    start = np.searchsorted(children, parent, side="left")
    size = np.searchsorted(children, parent, side="right") - start
    has = size > 0
    pick = start[has] + rng.integers(0, size[has])
    return Pairs(child[has], parents[pick], parent[has])


def _some(pairs: Pairs, count: int, rng: np.random.Generator) -> Pairs:
    if len(pairs) <= count:
        return pairs
    return pairs.part(np.sort(rng.choice(len(pairs), count, replace=False)))
