"""The frame of a study as arrays: what every analysis of structure reads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.study.measures import Study
from analysis.study.twins import twin_weights

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Times = npt.NDArray[np.datetime64]
ANALYSIS = "structure"
RELATIONS = ("finetune", "quantized", "adapter", "merge", "unknown")
NODES = """
select
    known, owner, is_bulk, is_dated, created_at::timestamp as created_at, family, family_size,
    generation, root, coalesce(primary_parent, -1) as up, cycle is not null as in_cycle
from node
order by node
"""
EDGES = "select child, parent, relation from kin order by edge"


@dataclass(frozen=True)
class Graph:
    """Models and edges.

    Attributes
    ----------
    known, owner, is_bulk, is_dated, created_at, family, family_size, generation, root, in_cycle
        Shape (n models,), as `analysis.study.frame` gives them; NaT where no creation is told.
    up
        Shape (n,): the primary parent, -1 at a root.
    child, parent
        Shape (m edges,): numbers of models, in order of child, then parent.
    relation
        Shape (m,): place in `RELATIONS`.
    """

    known: Bools
    owner: Ints
    is_bulk: Bools
    is_dated: Bools
    created_at: Times
    family: Ints
    family_size: Ints
    generation: Ints
    root: Ints
    in_cycle: Bools
    up: Ints
    child: Ints
    parent: Ints
    relation: Ints

    @property
    def count(self) -> int:
        """How many models: n."""
        return len(self.known)

    def weights(self, models: Ints) -> dict[str, Floats]:
        """By twin, the weights of rows that each stand for one of these models."""
        return twin_weights(self.owner[models], self.is_bulk[models], self.is_dated[models])


def read_graph(study: Study) -> Graph:
    """The graph that ``node`` and ``kin`` hold."""
    nodes, edges = study.arrays(NODES), study.arrays(EDGES)
    names = np.array(RELATIONS)
    order = np.argsort(names)
    place = order[np.searchsorted(names[order], edges.pop("relation").astype(names.dtype))]
    return Graph(**nodes, **edges, relation=place)
