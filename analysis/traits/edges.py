"""Edges as arrays: who made them, how, and how far a trait's values at both ends differ."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from analysis.study.measures import Arrays, Study
from analysis.study.twins import Bools, Floats, Ints, twin_weights
from analysis.traits.carrying import carry
from analysis.traits.values import Trait

RELATIONS = ("finetune", "adapter", "quantized", "merge", "unknown")
EDGES = """
select
    relation, child, parent, child.owner, child.family, child.is_bulk, child.is_dated
from kin
join node as child on child.node = kin.child
order by edge
"""
COMPARED = """
with counted as (
    select
        edge,
        count_if(in_child and in_parent) as kept,
        count_if(not in_child) as lost,
        count_if(not in_parent) as gained
    from carried
    group by edge
)
select counted.edge, kept, lost, gained, parent_then.edge is not null as is_observed
from counted
left join parent_then using (edge)
where kept + lost > 0 and kept + gained > 0
order by counted.edge
"""


@dataclass(frozen=True)
class Edges:
    """All edges of the frame, in their order, as arrays of shape (n edges,).

    Owner and family are the child's; families are numbered from 0 among those that have an edge.
    """

    relation: np.ndarray
    child: Ints
    parent: Ints
    owner: Ints
    family: Ints
    is_bulk: Bools
    is_dated: Bools

    def weights(self, at: Ints) -> dict[str, Floats]:
        """By twin, the weights of some edges among themselves."""
        return twin_weights(self.owner[at], self.is_bulk[at], self.is_dated[at])

    def clusters(self, at: Ints) -> dict[str, Ints]:
        """What an interval over some edges resamples."""
        return {"owner": self.owner[at], "family": self.family[at]}


@dataclass(frozen=True)
class Compared:
    """Edges both of whose ends report a trait: arrays of shape (m edges,).

    Attributes
    ----------
    edge
        Number of each.
    kept, lost, gained
        Values of both ends, of the parent alone, of the child alone.
    is_observed
        Whether the parent's value is that of a look at it when the child was made.
    """

    edge: Ints
    kept: Ints
    lost: Ints
    gained: Ints
    is_observed: Bools

    @cached_property
    def distance(self) -> Floats:
        """Jaccard distance of the ends' sets; never of two empty ones, which report nothing."""
        return (self.lost + self.gained) / (self.kept + self.lost + self.gained)


def read_edges(study: Study) -> Edges:
    """The frame's edges."""
    columns = study.arrays(EDGES)
    _, columns["family"] = np.unique(columns["family"], return_inverse=True)
    return Edges(**columns)


def compare(study: Study, trait: Trait) -> Compared:
    """Lay out ``carried`` of a trait and compare the ends of each edge that both report it."""
    carry(study, trait)
    columns: Arrays = study.arrays(COMPARED)
    return Compared(**{name: _whole(column) for name, column in columns.items()})


def _whole(column: np.ndarray) -> np.ndarray:
    return column if column.dtype == np.bool_ else column.astype(np.int64)
