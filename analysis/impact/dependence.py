"""Two kinds of dependence of one model on another, and which of them an edge is.

**Load-time dependence.** An adapter holds no model: whoever loads it loads its base as well, and
where that is an adapter in turn, its base too. So a model depends at load on what a chain of
``adapter`` edges leads to. If that is deleted, gated or disabled, the model does not load any more;
if its weights are replaced, the next load takes up the new ones. A finetune, merge or quantization
brings all its weights along, and ends such a chain: it loads though its base be gone. A model that
declares several bases as an adapter is taken to load with any of them: it *breaks* where none is
left, and where only some are, it may.

**Provenance.** Every declared relation (finetune, merge, quantized, adapter, unknown) says that a
model was made from another. Deletion breaks nothing of that kind which is there. But

- *poison* (weights that were tampered with, or trained on what they should not have been) went into
  the child if its parent was there first. So it flows over an edge whose parent was created before
  its child. Where a creation is unknown, as a ghost's is, or where both are equally old, the order
  is unknown and poison *may* flow: these are counted apart. A parent that is younger than its child
  cannot have been what it was made from, so that nothing flows. The Hub gives all repos from before
  March 2022 one and the same time: such a repo is older than any that is dated, and of unknown
  order with another of its kind. A repo may be created long before its weights: creation is the
  best that is known, not proof.
- *re-making* a model wants every parent that it declares: a merge all that it merged, a finetune or
  quantization its base. Without one of them a direct child can be kept, but not be made again.

Dependants are counted where they are there: not known to be gone. Ways lead through gone ones too,
for what was made from them remains.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt

from analysis.impact.graph import Bools, Graph
from analysis.study.frame import FIRST_DATED_AT
from analysis.trees import Ints

RELATIONS = ("finetune", "adapter", "quantized", "merge", "unknown")
EARLIER, UNKNOWN, LATER = 1, 0, -1  # the parent's creation, by the child's
# Sums of downloads stay within 64 bits, whatever a hub says of one repo.
MOST_DOWNLOADS = 10**12
EDGES = f"""
with aged as (
    select
        node,
        case
            when created_at < timestamp '{FIRST_DATED_AT}' then timestamp '1970-01-01'
            else created_at
        end as aged_at
    from node
)
select
    kin.child,
    kin.parent,
    list_position({list(RELATIONS)}, relation) - 1 as relation,
    case
        when child.aged_at > parent.aged_at then {EARLIER}
        when child.aged_at < parent.aged_at then {LATER}
        else {UNKNOWN}
    end as creation
from kin
join aged as child on child.node = kin.child
join aged as parent on parent.node = kin.parent
order by kin.child, kin.parent
"""  # noqa: S608
NODES = f"""
select
    node,
    owner,
    gone_at is null and known as is_there,
    least(coalesce(downloads_30d, 0), {MOST_DOWNLOADS}) as downloads_30d
from node
where node in (select child from kin union all select parent from kin)
order by node
"""  # noqa: S608


@dataclass(frozen=True)
class Dependence:
    """The models that edges touch, numbered anew from 0 to n - 1, and the edges between them.

    Attributes
    ----------
    node
        Shape (n,): their numbers in the study, rising.
    owner
        Shape (n,): number of the owner.
    is_there
        Shape (n,): whether a listing held it and it is not known to be gone.
    downloads
        Shape (n,): downloads in 30 days; unknown ones are 0.
    graph
        All edges.
    relation
        Shape (m edges,): place of the edge's relation in `RELATIONS`.
    creation
        Shape (m,): `EARLIER`, `UNKNOWN` or `LATER`: the parent's creation, by the child's.
    """

    node: Ints
    owner: Ints
    is_there: Bools
    downloads: Ints
    graph: Graph
    relation: Ints
    creation: Ints

    @property
    def loading(self) -> Graph:
        """Load-time dependence."""
        return self.graph.only(self.relation == RELATIONS.index("adapter"))

    @property
    def poisoning(self) -> Graph:
        """Ways that poison takes; acyclic, since each leads to a younger model."""
        return self.graph.only(self.creation == EARLIER)

    @property
    def perhaps_poisoning(self) -> Graph:
        """Ways that poison takes or, the order being unknown, may take."""
        return self.graph.only(self.creation != LATER)


def read_dependence(db: duckdb.DuckDBPyConnection) -> Dependence:
    """Read ``node`` (node, owner, known, created_at, gone_at, downloads_30d) and ``kin``.

    Of ``kin`` child, parent and relation are read.
    """
    nodes, edges = _columns(db, NODES), _columns(db, EDGES)
    child, parent = (np.searchsorted(nodes["node"], edges[end]) for end in ("child", "parent"))
    return Dependence(
        node=nodes["node"],
        owner=nodes["owner"],
        is_there=nodes["is_there"].astype(bool),
        downloads=nodes["downloads_30d"],
        graph=Graph(child, parent, len(nodes["node"])),
        relation=edges["relation"],
        creation=edges["creation"],
    )


def _columns(db: duckdb.DuckDBPyConnection, sql: str) -> dict[str, npt.NDArray[np.int64]]:
    return {
        name: np.asarray(column, dtype=np.int64)
        for name, column in db.execute(sql).fetchnumpy().items()
    }
