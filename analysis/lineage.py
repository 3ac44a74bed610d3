"""Declared lineage: which family each model belongs to, its root and its generation."""

from __future__ import annotations

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.trees import NONE, Ints, Trees, grow_trees
from warehouse.landing import Report
from warehouse.relations import create_relation, read_relation

Names = npt.NDArray[np.object_]

EDGES = """
select
    child_id,
    parent_id,
    -- the better primary parent: stronger and more evidence, then known, then declared first
    row_number() over (
        partition by child_id
        order by list_contains(evidence, 'tag') desc, len(evidence) desc, model.known desc,
            position, parent_id
    ) as rank
from base_model_edge
join model on model.repo_id = base_model_edge.parent_id
"""


def derive_lineage(db: duckdb.DuckDBPyConnection, report: Report) -> None:
    """Write ``family_member`` and ``family`` from ``model`` and ``base_model_edge``."""
    report("family trees", 0, 1)
    ids = db.execute("select repo_id from model").df()["repo_id"].sort_values()
    members = family_members(ids.to_numpy(dtype=object), db.execute(EDGES).df())
    db.register("members", members)
    for name in ("family_member", "family"):
        create_relation(db, read_relation("analysis", name))
    db.unregister("members")
    report("family trees", 1, 1)


def family_members(ids: Names, edges: pd.DataFrame) -> pd.DataFrame:
    """Place each model in its family.

    Parameters
    ----------
    ids
        Shape (n,): all repo_ids, known and ghosts, sorted and without doubles.
    edges
        Columns child_id, parent_id, rank (lower is the better primary parent).

    Returns
    -------
    Frame of n rows: repo_id, family_id (the root of its largest tree), cycle_id,
    primary_parent_id, root_id, generation, generation_shortest, is_root. Missing ids are None:
    a model outside any cycle, a root without parent.

    """
    index = pd.Index(ids)
    trees = grow_trees(
        index.get_indexer(pd.Index(edges["child_id"])).astype(np.int64),
        index.get_indexer(pd.Index(edges["parent_id"])).astype(np.int64),
        edges["rank"].to_numpy(dtype=np.int64),
        model_count=len(ids),
    )
    return _framed(ids, trees)


def _framed(ids: Names, trees: Trees) -> pd.DataFrame:
    def named(at: Ints) -> Names:
        names = ids[at]
        names[at == NONE] = None
        return names

    return pd.DataFrame(
        {
            "repo_id": ids,
            "family_id": named(trees.family),
            "cycle_id": named(trees.cycle),
            "primary_parent_id": named(trees.primary_parent),
            "root_id": named(trees.root),
            "generation": trees.generation,
            "generation_shortest": trees.generation_shortest,
            "is_root": trees.is_root,
        }
    )
