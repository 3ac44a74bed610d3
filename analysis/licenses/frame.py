"""The study's frame as arrays, with each model's licence beside it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.licenses.graph import Graph, relation_codes
from analysis.licenses.ledger import Ints
from analysis.licenses.rules import CLASSES, UNKNOWN_CLASS
from analysis.licenses.shares import Rows, twinned
from analysis.study.measures import Arrays, Study

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
# A model that declares no licence; one whose licence cannot be told is of the class unknown.
NO_LICENSE = "none"
ALL_CLASSES = (*CLASSES, UNKNOWN_CLASS, NO_LICENSE)
NODES = """
select
    node, known, owner, is_bulk, is_dated, family, generation, downloads_30d,
    coalesce(cycle, node) as knot,
    12 * year(created_at) + month(created_at) - 1 as month,
    coalesce(license_state.state, -1) as state,
    coalesce(license_state.license_class, 'none') as license_class
from node
left join license_state using (repo_id)
order by node
"""


@dataclass(frozen=True)
class Frame:
    """Nodes and edges of a study.

    Attributes
    ----------
    node
        Columns of all nodes, in their order: known, owner, is_bulk, is_dated, family, generation,
        downloads_30d (NaN where not told), knot, month (NaN where not known), and class: a place
        in `ALL_CLASSES`.
    state
        Shape (n,): places of declared licences; -1 where none is declared.
    child, parent
        Shape (m edges,): nodes.
    relation
        Shape (m,): names.
    """

    node: Arrays
    child: Ints
    parent: Ints
    relation: npt.NDArray[np.object_]

    @property
    def state(self) -> Ints:
        """See above."""
        return self.node["state"]

    @cached_property
    def is_derived(self) -> Bools:
        """Shape (n,): whether a model has a parent."""
        derived = np.zeros(len(self.state), dtype=np.bool_)
        derived[self.child] = True
        return derived

    def models(self, which: Bools) -> Rows:
        """Some nodes as rows to take shares of; owners and families are resampled."""
        return self._rows(np.flatnonzero(which), unit="models")

    def edges(self, which: Bools) -> Rows:
        """Some edges likewise, each with its child's owner and family."""
        return self._rows(self.child[which], unit="edges")

    def graph(self) -> Graph:
        """The graph that duties spread through."""
        return Graph(
            child=self.child,
            parent=self.parent,
            relation=relation_codes(self.relation),
            state=np.maximum(self.state, 0),
            owner=self.node["owner"],
            level=self.node["generation"],
            knot=self.node["knot"],
            may_ask=np.ones(len(self.state), np.bool_),
        )

    def _rows(self, at: Ints, *, unit: str) -> Rows:
        node = {name: self.node[name][at] for name in ("owner", "is_bulk", "is_dated", "family")}
        return twinned(
            node["owner"], node["is_bulk"], node["is_dated"], unit=unit, family=node["family"]
        )


def read_frame(study: Study) -> Frame:
    """Read it; ``license_state`` has to be there."""
    node = study.arrays(NODES)
    places = {name: at for at, name in enumerate(ALL_CLASSES)}
    classes: Any = node.pop("license_class")
    node["class"] = np.array([places[name] for name in classes.tolist()], dtype=np.int64)
    for name in ("known", "is_bulk", "is_dated"):
        node[name] = node[name].astype(np.bool_)
    edges = study.arrays("select child, parent, relation from kin order by edge")
    return Frame(node, edges["child"], edges["parent"], edges["relation"])
