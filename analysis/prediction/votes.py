"""Votes: how many of a model's neighbours declare each value of an attribute, itself left out.

Of a model vote its parents, its children, its siblings (the other children of its primary parent),
its family and its owner's other models. Of an edge vote the parent's other edges down (its
siblings), the parent's own edges up, the family's and the owner's edges, all without those of the
same child, which are one declaration.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from analysis.study.measures import Arrays

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Source:
    """One kind of neighbours.

    Attributes
    ----------
    name
        What they are: parents, children, siblings, parent_edges, family, owner.
    asked
        Shape (n instances, g groups): 1 where an instance asks a group.
    members
        Shape (g groups, n instances): 1 where an instance votes in a group; None where each
        instance is a group of its own.
    but
        The same pair of the votes that do not count (its own); None for none.
    """

    name: str
    asked: sparse.csr_array
    members: sparse.csr_array | None
    but: tuple[sparse.csr_array, sparse.csr_array | None] | None = None


@dataclass(frozen=True)
class Tally:
    """The votes of one source, added up once for a set of labels."""

    source: Source
    sums: sparse.csr_array
    but: sparse.csr_array | None

    def of(self, rows: Ints) -> Floats:
        """Votes for each class, shape (len(rows), c)."""
        votes = self.source.asked[rows] @ self.sums
        if self.source.but is not None and self.but is not None:
            votes = votes - self.source.but[0][rows] @ self.but
        return np.asarray(votes.todense(), np.float32)


def tallies(sources: list[Source], label: Ints, class_count: int) -> list[Tally]:
    """Add up votes.

    Parameters
    ----------
    label
        Shape (n instances,): 0 to class_count - 1; what is outside does not vote.
    """
    voting = np.flatnonzero((label >= 0) & (label < class_count))
    ballots = _ones(voting, label[voting], (len(label), class_count))
    return [
        Tally(
            one,
            _sums(one.members, ballots),
            None if one.but is None else _sums(one.but[1], ballots),
        )
        for one in sources
    ]


def node_sources(told: Arrays, child: Ints, parent: Ints) -> list[Source]:
    """Sources of votes on an attribute of models.

    Parameters
    ----------
    told
        Columns family, owner and parent (the primary one, -1 for none) of n models.
    child, parent
        Shape (e edges,): numbers of models.
    """
    count = len(told["family"])
    every = np.arange(count)
    upwards = _ones(child, parent, (count, count))
    born = np.flatnonzero(told["parent"] >= 0)
    siblings = _ones(born, told["parent"][born].astype(np.int64), (count, count))
    only_born = _ones(born, born, (count, count))
    return [
        Source("parents", upwards, None),
        Source("children", upwards.T.tocsr(), None),
        Source("siblings", siblings, siblings.T.tocsr(), (only_born, None)),
        *_shared(told, (_ones(every, every, (count, count)), None)),
    ]


def edge_sources(told: Arrays) -> list[Source]:
    """Sources of votes on the relation of e edges.

    Parameters
    ----------
    told
        Columns node (the child), parent, family and owner (of the child), of e edges.
    """
    child, parent = told["node"].astype(np.int64), told["parent"].astype(np.int64)
    edges = np.arange(len(child))
    count = int(max(child.max(initial=0), parent.max(initial=0))) + 1
    down, up = (_ones(edges, one, (len(edges), count)) for one in (parent, child))
    return [
        Source("siblings", down, down.T.tocsr(), (_ones(edges, edges, (len(edges),) * 2), None)),
        Source("parent_edges", down, up.T.tocsr()),
        *_shared(told, (up, up.T.tocsr())),
    ]


def _shared(told: Arrays, but: tuple[sparse.csr_array, sparse.csr_array | None]) -> list[Source]:
    """Family and owner, without the instances that are the same."""
    rows = np.arange(len(told["family"]))
    asked = {
        name: _ones(rows, told[name].astype(np.int64), (len(rows), _group_count(told[name])))
        for name in ("family", "owner")
    }
    return [Source(name, one, one.T.tocsr(), but) for name, one in asked.items()]


def _group_count(group: Ints) -> int:
    return int(group.max(initial=0)) + 1


def _sums(members: sparse.csr_array | None, ballots: sparse.csr_array) -> sparse.csr_array:
    return ballots if members is None else members @ ballots


def _ones(row: Ints, column: Ints, shape: tuple[int, int]) -> sparse.csr_array:
    return sparse.csr_array((np.ones(len(row), np.float32), (row, column)), shape=shape)
