"""Small patterns of declared lineage, counted exactly, and how often chance would make them.

With edges parent → child, and a, b, c, d all different:

- ``chain_3``: a → b → c → d.
- ``sibling_pair``: two children of a parent, once for each parent that they share.
- ``shared_parents``: two children that have the same two parents (bi-fan).
- ``feed_forward``: a → b, a → c and b → c: a model that names its grandparent beside its parent.
- ``diamond``: a → b, a → c, b → d and c → d: a model made of siblings.
- ``reciprocal_pair``: a → b and b → a.
- ``merge_with_ancestor``: pairs of parents of a model of which one descends from the other, by any
  number of edges.

Source: Milo et al., "Network Motifs: Simple Building Blocks of Complex Networks", Science 298
(2002); the null model keeps how many parents and children each model has, by relation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
MOTIFS = ("chain_3", "shared_parents", "feed_forward", "diamond", "reciprocal_pair")
ROUNDS = 100  # of mending a shuffled graph


@dataclass(frozen=True)
class Edges:
    """Edges sorted by child, then parent, each pair once; see `sort_edges`.

    Attributes
    ----------
    child, parent
        Shape (m,): numbers of models, 0 to n - 1.
    start
        Shape (n + 1,): where the edges of each child begin.
    """

    child: Ints
    parent: Ints
    start: Ints

    @property
    def count(self) -> int:
        """How many models: n."""
        return len(self.start) - 1

    @property
    def keys(self) -> Ints:
        """One rising number for each edge."""
        return self.child * self.count + self.parent

    def among(self, child: Ints, parent: Ints) -> Bools:
        """Whether these pairs are edges."""
        return _are_in(child * self.count + parent, self.keys)


def sort_edges(child: Ints, parent: Ints, n: int) -> Edges:
    """Edges among n models, in the order that counting wants; doubled pairs count once."""
    keys = np.unique(child * n + parent)
    child, parent = keys // max(n, 1), keys % max(n, 1)
    return Edges(child, parent, np.searchsorted(child, np.arange(n + 1)))


def count_motifs(edges: Edges) -> dict[str, int]:
    """How often each of `MOTIFS` is found.

    Parameters
    ----------
    edges
        Without self-loops.
    """
    of, first, second = parent_pairs(edges)
    ahead = edges.among(second, first), edges.among(first, second)
    low, high = np.minimum(first, second), np.maximum(first, second)
    _, sharing = np.unique(low * edges.count + high, return_counts=True)
    return {
        "chain_3": _chains(edges),
        "shared_parents": int((sharing * (sharing - 1) // 2).sum()),
        "feed_forward": int(ahead[0].sum() + ahead[1].sum()),
        "diamond": _diamonds(edges, of, first, second),
        "reciprocal_pair": int(edges.among(edges.parent, edges.child).sum()) // 2,
    }


def sibling_pairs(edges: Edges) -> int:
    """Pairs of children of each parent, added up; the same in every graph of these degrees."""
    children = np.bincount(edges.parent, minlength=edges.count)
    return int((children * (children - 1) // 2).sum())


def parent_pairs(edges: Edges) -> tuple[Ints, Ints, Ints]:
    """Each pair of parents of a model: the model, the smaller parent, the larger."""
    later = edges.start[edges.child + 1] - np.arange(len(edges.child)) - 1
    first = np.repeat(np.arange(len(edges.child)), later)
    second = first + 1 + _count_up(later)
    return edges.child[first], edges.parent[first], edges.parent[second]


def ancestor_pairs(edges: Edges, generation: Ints) -> Bools:
    """Of each pair of `parent_pairs`, whether one descends from the other.

    Parameters
    ----------
    generation
        Shape (n,): longest path from a root, a cycle counting as one (`analysis.trees`): nothing
        above a model has a larger one, so a climb ends where it has passed its aim.
    """
    _, first, second = parent_pairs(edges)
    found = np.zeros(len(first), bool)
    for low, high in ((first, second), (second, first)):
        pair, at = np.arange(len(first)), low.copy()
        seen = pair * edges.count + at
        while len(pair):
            pair, at = _climb(edges, pair, at)
            keep = (generation[at] >= generation[high[pair]]) & ~found[pair]
            keys = np.unique(pair[keep] * edges.count + at[keep])
            keys = keys[~_are_in(keys, seen)]
            seen = np.union1d(seen, keys)
            pair, at = keys // max(edges.count, 1), keys % max(edges.count, 1)
            found[pair[at == high[pair]]] = True
    return found


def shuffled(
    child: Ints, parent: Ints, relation: Ints, n: int, rng: np.random.Generator
) -> tuple[Edges, int]:
    """A graph by chance, in which each model has as many parents and children as it had.

    Parameters
    ----------
    child, parent, relation
        Shape (m,): parents change places among edges of one relation, so that degrees are kept by
        relation too. Which came first in time is not.

    Returns
    -------
    The graph, and how many edges it lacks: a self-loop or a doubled pair is mended by further
    exchange with other edges, and dropped where `ROUNDS` have not done it.
    """
    parent = _permute(parent, relation, np.ones(len(child), bool), rng)
    for _ in range(ROUNDS):
        wrong = _wrong(child, parent, n)
        if not wrong.any():
            break
        # as many others of any relation, with which what is wrong can change places
        partner = rng.integers(0, len(child), 4 * int(wrong.sum()) + 8)
        moving = wrong.copy()
        moving[partner] = True
        again = _permute(parent, relation, moving, rng)
        parent = again if _wrong(child, again, n).sum() <= wrong.sum() else parent
    right = ~_wrong(child, parent, n)
    return sort_edges(child[right], parent[right], n), int((~right).sum())


def _permute(parent: Ints, relation: Ints, moving: Bools, rng: np.random.Generator) -> Ints:
    parent = parent.copy()
    for one in np.unique(relation):
        at = np.flatnonzero(moving & (relation == one))
        parent[at] = parent[rng.permutation(at)]
    return parent


def _wrong(child: Ints, parent: Ints, n: int) -> Bools:
    keys = child * n + parent
    order = np.argsort(keys, kind="stable")
    doubled = np.zeros(len(keys), bool)
    doubled[order[1:]] = keys[order[1:]] == keys[order[:-1]]
    return np.asarray(doubled | (child == parent))


def _chains(edges: Edges) -> int:
    # Walks of three edges, less those that come back to where they were.
    children = np.bincount(edges.parent, minlength=edges.count)
    parents = np.diff(edges.start)
    walks = int((parents[edges.parent] * children[edges.child]).sum())
    turning = edges.among(edges.parent, edges.child)
    there, back = edges.parent[turning], edges.child[turning]
    # a → b → a → d, any d; a → b → c → b, any a; both at once is a → b → a → b
    returning = int(children[there].sum() + parents[back].sum()) - int(turning.sum())
    return walks - returning - _triangles(edges)


def _triangles(edges: Edges) -> int:
    """Walks a → b → c → a; three for each cycle of three."""
    above, at = _climb(edges, np.arange(len(edges.child)), edges.parent)
    return int(edges.among(at, edges.child[above]).sum())


def _diamonds(edges: Edges, of: Ints, first: Ints, second: Ints) -> int:
    pair, above = _climb(edges, np.arange(len(first)), first)
    shared = edges.among(second[pair], above) & (above != of[pair])
    return int(shared.sum())


def _climb(edges: Edges, row: Ints, at: Ints) -> tuple[Ints, Ints]:
    """All parents of each row's model, beside their row."""
    counts = edges.start[at + 1] - edges.start[at]
    return np.repeat(row, counts), edges.parent[
        np.repeat(edges.start[at], counts) + _count_up(counts)
    ]


def _count_up(lengths: Ints) -> Ints:
    """0, 1, … up to each length, one after the other."""
    ends = np.cumsum(lengths)
    return np.arange(int(lengths.sum())) - np.repeat(ends - lengths, lengths)


def _are_in(wanted: Ints, sorted_keys: Ints) -> Bools:
    if not len(sorted_keys):
        return np.zeros(len(wanted), bool)
    at = np.minimum(np.searchsorted(sorted_keys, wanted), len(sorted_keys) - 1)
    return np.asarray(sorted_keys[at] == wanted)
