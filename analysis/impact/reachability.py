"""How much lies below every node of a graph, each descendant counted once, exactly.

Cycles are contracted. Where a knot has one parent, what lies below it is a tree's; a knot of
several parents is a tree of its own, which every knot that reaches it has below it once. So

    below(v) = tree(v) + Σ over distinct knots m of several parents that v reaches: tree(m)

and only the reaching of these is kept as sets (`analysis.impact.core`). The members of a cycle are
below one another, never below themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.impact.core import Core, colour_blocks, find_core, get_bits, sums_of_meets
from analysis.impact.forest import Forest, colours_below, lay_forest, sums_below
from analysis.impact.graph import Bools, Graph, Knots, contract
from analysis.trees import NONE, Ints


@dataclass(frozen=True)
class Below:
    """What the descendants of each node have.

    Attributes
    ----------
    sums
        Shape (n nodes, k columns): sums of their values.
    colours
        Shape (n,): distinct colours among those that are seen.
    """

    sums: Ints
    colours: Ints


def count_below(graph: Graph, values: Ints, colour: Ints, is_seen: Bools) -> Below:
    """Sums and distinct colours over the descendants of each node.

    Parameters
    ----------
    values
        Shape (n, k): whole numbers; a column of ones counts descendants.
    colour
        Shape (n,): a number of each node, as its owner's.
    is_seen
        Shape (n,): whether a node's colour counts. Its values always do: give zeros.
    """
    knots = contract(graph)
    forest = lay_forest(knots.only_parent)
    held = np.zeros((knots.graph.count, values.shape[1]), dtype=np.int64)
    np.add.at(held, knots.knot, values)
    tree = sums_below(forest, held)
    core = find_core(knots)
    whole = tree.copy()
    if len(core.knots):
        meets = core.knots[core.meets]
        whole[core.knots] += sums_of_meets(core, tree[meets])
        whole[meets] -= tree[meets]  # it has reached itself
    colours = _tree_colours(knots, forest, colour, is_seen)
    _add_core_colours(colours, knots, core, colour, is_seen)
    return Below(sums=whole[knots.knot] - values, colours=colours)


def _tree_colours(knots: Knots, forest: Forest, colour: Ints, is_seen: Bools) -> Ints:
    """Right outside the core, where each knot is one node and so is each below it."""
    member = np.empty(knots.graph.count, dtype=np.int64)
    member[knots.knot] = np.arange(len(knots.knot))
    return colours_below(forest, colour[member], is_seen[member])[knots.knot]


def _add_core_colours(
    colours: Ints, knots: Knots, core: Core, colour: Ints, is_seen: Bools
) -> None:
    """Put the counts of the core's nodes in their place."""
    seen = np.flatnonzero(is_seen)
    row, is_own = _anchors(knots, core)
    seen = seen[row[seen] != NONE]
    inside = row != NONE
    inside[inside] = is_own[inside]
    number = np.full(len(colour), NONE, dtype=np.int64)
    names, number[seen] = np.unique(colour[seen], return_inverse=True)
    own = seen[is_own[seen]]
    below = seen[~is_own[seen]]
    alone = own[_is_single(row[own], number[own])]
    reach = np.zeros(len(core.knots), dtype=np.int64)
    lost = np.zeros(len(colour), dtype=np.int64)
    pairs = (row[below], number[below]), (row[own], number[own])
    for block in colour_blocks(core, *pairs, len(names)):
        reach += np.bitwise_count(block.whole).sum(axis=1, dtype=np.int64)
        asked = alone[(number[alone] >= block.start) & (number[alone] < block.stop)]
        lost[asked] = ~get_bits(block.strict, row[asked], number[asked] - block.start)
    colours[inside] = reach[row[inside]] - lost[inside]


def _anchors(knots: Knots, core: Core) -> tuple[Ints, Bools]:
    """The nearest knot of the core at or above each node, by number (-1: none); if it is its own.

    Only ways through single parents lead there: any other node is of the core itself.
    """
    nowhere = knots.graph.count
    is_core = np.zeros(nowhere + 1, dtype=bool)
    is_core[core.knots] = True
    up = np.append(np.where(knots.only_parent == NONE, nowhere, knots.only_parent), nowhere)
    at = np.where(is_core, np.arange(nowhere + 1), up)
    while not np.array_equal(at, further := at[at]):
        at = further
    number = np.full(nowhere + 1, NONE, dtype=np.int64)
    number[core.knots] = np.arange(len(core.knots))
    return number[at[knots.knot]], is_core[knots.knot]


def _is_single(row: Ints, number: Ints) -> Bools:
    """Shape (n,): whether a pair is there but once."""
    pairs = np.column_stack([row, number])
    _, group, counts = np.unique(pairs, axis=0, return_inverse=True, return_counts=True)
    return np.asarray(counts[group.reshape(-1)] == 1)
