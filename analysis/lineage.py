"""Declared lineage: which family each model belongs to, its root and its generation."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa

from analysis.trees import NONE, Ints, grow_trees
from warehouse.landing import Report
from warehouse.relations import create_relation, read_relation

PIECE_ROWS = 122_880  # a row group of DuckDB
EDGES = """
with place as (
    select repo_id, known, row_number() over (order by repo_id) - 1 as place
    from model
)
select
    child.place as child,
    parent.place as parent,
    -- the better primary parent: stronger and more evidence, then known, then declared first
    row_number() over (
        partition by child_id
        order by list_contains(evidence, 'tag') desc, len(evidence) desc, parent.known desc,
            position, parent_id
    ) as rank
from base_model_edge
join place as child on child.repo_id = child_id
join place as parent on parent.repo_id = parent_id
"""


def derive_lineage(db: duckdb.DuckDBPyConnection, report: Report) -> None:
    """Write ``family_member`` and ``family`` from ``model`` and ``base_model_edge``."""
    report("family trees", 0, 1)
    ids = db.sql("select repo_id from model order by repo_id").to_arrow_table()["repo_id"]
    edges = db.execute(EDGES).fetchnumpy()
    places = [np.asarray(edges[name], np.int64) for name in ("child", "parent", "rank")]
    members = family_members(ids, *places)
    # In pieces, or one thread alone would read it.
    db.register("members", pa.Table.from_batches(members.to_batches(PIECE_ROWS)))
    for name in ("family_member", "family"):
        create_relation(db, read_relation("analysis", name))
    db.unregister("members")
    report("family trees", 1, 1)


def family_members(ids: pa.ChunkedArray, child: Ints, parent: Ints, rank: Ints) -> pa.Table:
    """Place each model in its family.

    Parameters
    ----------
    ids
        Shape (n,): all repo_ids, known and ghosts, sorted and without doubles.
    child, parent
        Shape (m edges,): places in ``ids``.
    rank
        Shape (m,): lower is the better primary parent of its child.

    Returns
    -------
    Table of n rows: repo_id, family_id (the root of its largest tree), cycle_id,
    primary_parent_id, root_id, generation, generation_shortest, is_root. Missing ids are null:
    a model outside any cycle, a root without parent.

    """
    trees = grow_trees(child, parent, rank, model_count=len(ids))
    ids = ids.combine_chunks()
    return pa.table(
        {
            "repo_id": ids,
            "family_id": _named(ids, trees.family),
            "cycle_id": _named(ids, trees.cycle),
            "primary_parent_id": _named(ids, trees.primary_parent),
            "root_id": _named(ids, trees.root),
            "generation": trees.generation,
            "generation_shortest": trees.generation_shortest,
            "is_root": trees.is_root,
        }
    )


def _named(ids: pa.Array, at: Ints) -> pa.Array:
    return ids.take(pa.array(at, mask=at == NONE))
