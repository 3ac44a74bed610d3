"""Families: who declares whom as its base model.

Models are numbered in the order of their creation, so that a parent has a smaller number than its
child. Edges are taken in that order too. An edge either names a *fertile* model that nobody has
named yet, or follows an earlier edge and names its parent once more: preferential attachment by
copying, which gives power laws (Simon 1955) and needs no urn, since all copies are resolved at once
by pointer doubling. Which models are fertile is drawn first, relation by relation, so that as many
children have children themselves as is published. A few fertile ones are ghosts, which no listing
holds; self-loops and cycles are planted at the end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.resample.published import (
    CYCLE_COUNT,
    EDGE_COUNTS,
    FERTILE_SHARES,
    FINETUNE,
    FRESH_SHARE,
    GHOST_SHARE,
    MERGE,
    MULTI_PARENT_SHARE,
    PARENT_SHARE,
    PARENTS_OF_A_MERGE,
    RECENT_SHARE,
    SAME_RELATION_SHARE,
    SELF_LOOP_SHARE,
)

Ints = npt.NDArray[np.int64]
NONE = -1


@dataclass(frozen=True)
class Families:
    """The edges of a hub of n models, ordered by child.

    Attributes
    ----------
    child, parent, relation
        Shape (m edges,). A parent -1 - g is the ghost g; relations are numbers of
        `benchmarks.resample.published.RELATIONS`.
    heir_of
        Shape (n,): the parent that a model takes traits from, always a smaller number; -1 where
        there is none that is listed.
    ghost_count
        Ghosts that the edges may name.
    """

    child: Ints
    parent: Ints
    relation: Ints
    heir_of: Ints
    ghost_count: int


def draw_families(model_count: int, rng: np.random.Generator) -> Families:
    """Draw the edges of a hub with the shares of `published.py`; n is at least 100."""
    child, relation = _children(model_count, rng)
    fertile_at, fertile, ghost_count = _fertile(model_count, child, relation, rng)
    parent = _parents(child, relation, fertile_at, fertile, rng=rng)
    parent = _merged_within(child, parent, ghost_count, rng=rng)
    twice = _is_repeated(child, parent)
    child, parent, relation = child[~twice], parent[~twice], relation[~twice]
    heir_of = np.full(model_count, NONE)
    heir_of[child[::-1]] = parent[::-1]  # the first edge of a child is written last
    heir_of[heir_of < 0] = NONE
    planted = np.concatenate([_cycles(child, parent, rng), _self_loops(model_count, child, rng)])
    child, parent = np.r_[child, planted[:, 0]], np.r_[parent, planted[:, 1]]
    relation = np.r_[relation, np.full(len(planted), FINETUNE)]
    order = np.argsort(child, kind="stable")
    return Families(child[order], parent[order], relation[order], heir_of, ghost_count)


def ends_of(pointer: Ints) -> Ints:
    """Where following pointers ends, each at one that points to itself."""
    while True:
        further = pointer[pointer]
        if np.array_equal(further, pointer):
            return pointer
        pointer = further


def _children(n: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Child and relation of each edge but the planted ones; model 0 has no parent."""
    merge_count = max(1, round(n * MULTI_PARENT_SHARE))
    single_count = round(n * PARENT_SHARE) - merge_count
    weights = np.array(EDGE_COUNTS[:MERGE]) / sum(EDGE_COUNTS[:MERGE])
    made = np.repeat(np.arange(MERGE), np.diff(np.r_[0, _rounded(weights, single_count)]))
    made = rng.permutation(np.r_[made, np.full(merge_count, MERGE)])
    models = np.sort(rng.choice(n - 1, len(made), replace=False)) + 1
    more = rng.poisson(PARENTS_OF_A_MERGE - 2, len(made))
    parent_counts = np.where(made == MERGE, 2 + more, 1)
    return np.repeat(models, parent_counts), np.repeat(made, parent_counts)


def _rounded(weights: npt.NDArray[np.float64], total: int) -> Ints:
    return np.rint(np.cumsum(weights) * total).astype(np.int64)


def _fertile(
    n: int, child: Ints, relation: Ints, rng: np.random.Generator
) -> tuple[Ints, Ints, int]:
    """When each fertile model comes, its number (of a ghost -1 - g), and how many are ghosts."""
    parent_count = max(2, round(len(child) * FRESH_SHARE))
    fertile = [np.zeros(1, dtype=np.int64)]
    for number, share in enumerate(FERTILE_SHARES):
        made = np.unique(child[relation == number])
        fertile.append(rng.choice(made, round(len(made) * share), replace=False))
    ghost_count = max(1, round(parent_count * GHOST_SHARE))
    root_count = max(0, parent_count - ghost_count - sum(map(len, fertile)))
    roots = np.setdiff1d(np.arange(1, n), child)
    fertile.append(rng.choice(roots, min(root_count, len(roots)), replace=False))
    listed = np.concatenate(fertile)
    at = np.r_[listed, rng.integers(0, n, ghost_count)]
    numbers = np.r_[listed, -1 - np.arange(ghost_count)]
    order = np.argsort(at, kind="stable")
    return at[order], numbers[order], ghost_count


def _parents(
    child: Ints, relation: Ints, fertile_at: Ints, fertile: Ints, *, rng: np.random.Generator
) -> Ints:
    followed = _followed(relation, rng)
    fresh = np.flatnonzero(rng.random(len(child)) < FRESH_SHARE)
    fresh = np.r_[0, fresh[fresh > 0]]
    parent = np.full(len(child), NONE)
    draws = rng.random(len(fresh)).tolist()
    waiting: list[int] = []
    following = 0
    for edge, draw in zip(fresh.tolist(), draws, strict=True):
        while following < len(fertile) and fertile_at[following] < child[edge]:
            waiting.append(int(fertile[following]))
            following += 1
        if waiting:
            chosen = int(draw * len(waiting))
            parent[edge], waiting[chosen] = waiting[chosen], waiting[-1]
            waiting.pop()
            followed[edge] = edge
    return parent[ends_of(followed)]


def _followed(relation: Ints, rng: np.random.Generator) -> Ints:
    """An earlier edge for each, of the same relation as often as is said; 0 for the first."""
    followed = _earlier(len(relation), rng)
    same = rng.random(len(relation)) < SAME_RELATION_SHARE
    for number in np.unique(relation):
        kin = np.flatnonzero(relation == number)
        earlier = kin[_earlier(len(kin), rng)]
        chosen = same[kin] & (np.arange(len(kin)) > 0)
        followed[kin[chosen]] = earlier[chosen]
    return followed


def _earlier(count: int, rng: np.random.Generator) -> Ints:
    """For each place one of the latest before it: what is followed is of its time."""
    place = np.arange(count)
    back = (rng.random(count) * np.ceil(place * RECENT_SHARE)).astype(np.int64) + 1
    earlier: Ints = np.maximum(place - back, 0)
    return earlier


def _merged_within(
    child: Ints, parent: Ints, ghost_count: int, *, rng: np.random.Generator
) -> Ints:
    """Take all parents of a merge from one tree, where one of them is of a tree with several.

    Who merges, merges kin: weights of another base have other shapes. Without this the families of
    all popular models would be one.
    """
    place = np.arange(len(child))
    is_first = np.r_[True, child[1:] != child[:-1]]
    root = _roots(child[is_first], parent, parent[is_first], ghost_count)
    parents, named_at = np.unique(parent, return_index=True)
    # The trees one after the other, in each its parents by the edge that named them first.
    keys = root[named_at] * len(child) + named_at
    by_tree = np.argsort(keys)
    keys = keys[by_tree]
    start = np.searchsorted(keys, root * len(child))
    count = np.searchsorted(keys, root * len(child) + place, side="right") - start
    firsts = np.flatnonzero(is_first)
    anchors = np.minimum.reduceat(np.where(count > 1, place, len(child)), firsts)
    anchor = np.where(anchors < len(child), anchors, firsts)[np.cumsum(is_first) - 1]
    own = named_at[np.searchsorted(parents, parent)]
    at = np.searchsorted(keys, root * len(child) + own) - start
    step = 1 + (rng.random(len(child)) * (count[anchor] - 1)).astype(np.int64)
    other = start[anchor] + (at[anchor] + step) % count[anchor]
    return np.where((place != anchor) & (count[anchor] > 1), parents[by_tree][other], parent)


def _roots(children: Ints, parent: Ints, first_parents: Ints, ghost_count: int) -> Ints:
    """The end of the walk up from each edge's parent, by the first parents of children."""
    pointer = np.arange(ghost_count + children[-1] + 1)
    pointer[children + ghost_count] = first_parents + ghost_count
    return ends_of(pointer)[parent + ghost_count]


def _is_repeated(child: Ints, parent: Ints) -> npt.NDArray[np.bool_]:
    lowest, highest = int(parent.min()), int(parent.max())
    keys = child * (highest - lowest + 1) + parent - lowest
    _, first = np.unique(keys, return_index=True)
    repeated = np.ones(len(child), dtype=bool)
    repeated[first] = False
    return repeated


def _cycles(child: Ints, parent: Ints, rng: np.random.Generator) -> Ints:
    """Rows (child, parent): roots that declare one of their children, a third a grandchild."""
    has_parent = np.isin(parent, child)
    at_root = np.flatnonzero((parent >= 0) & ~has_parent)
    rng.shuffle(at_root)
    _, first = np.unique(parent[at_root], return_index=True)
    edges = rng.permutation(at_root[first])[:CYCLE_COUNT]
    ends = child[edges]
    for place in range(0, len(edges), 3):
        below = np.flatnonzero(parent == ends[place])
        if len(below):
            ends[place] = child[below[0]]
    return np.stack([parent[edges], ends], axis=1)


def _self_loops(n: int, child: Ints, rng: np.random.Generator) -> Ints:
    alone = np.setdiff1d(np.arange(1, n), child)
    models = rng.choice(alone, max(1, round(n * SELF_LOOP_SHARE)), replace=False)
    return np.stack([models, models], axis=1)
