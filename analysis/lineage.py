"""Declared lineage: which family each model belongs to, its root and its generation.

A family depends on its own models and edges alone, so a build that knows which repos are not as
they were (``touched``) grows only their families anew.
"""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa

from analysis.trees import NONE, Ints, grow_trees
from warehouse.landing import Report
from warehouse.relations import Relation, create_relation, is_there, read_relation

RELATIONS = ("family_member", "family")
PIECE_ROWS = 122_880  # a row group of DuckDB
# Edges change with their child. With each end of a changed one comes all of the family that it had,
# so that no edge leads out of what is grown anew.
OLD_FAMILY = """
with changed as (
    select repo_id from touched
    union all
    select parent_id as repo_id
    from base_model_edge
    where child_id in (select repo_id from touched)
)
select distinct family_id
from family_member
where repo_id in (select repo_id from changed)
"""
REGROWN = """
with regrown as (
    select repo_id from family_member where family_id in (select family_id from old_family)
    union
    select repo_id from touched
    union
    select parent_id as repo_id
    from base_model_edge
    where child_id in (select repo_id from touched)
)
select repo_id, known, downloads_30d
from model
where repo_id in (select repo_id from regrown)
order by repo_id
"""
ALL = "select repo_id, known, downloads_30d from model order by repo_id"
EDGES = """
with place as (
    -- regrown is written in order
    select repo_id, known, rowid as place
    from regrown
)
select
    child.place as child,
    parent.place as parent,
    -- the better primary parent: tagged, surer, more evidence, then known, then declared first
    row_number() over (
        partition by child_id
        order by list_contains(evidence, 'tag') desc, confidence desc, len(evidence) desc,
            parent.known desc, position, parent_id
    ) as rank
from base_model_edge
join place as child on child.repo_id = child_id
join place as parent on parent.repo_id = parent_id
"""


def derive_lineage(db: duckdb.DuckDBPyConnection, report: Report) -> None:
    """Write ``family_member`` and ``family`` from ``model`` and ``base_model_edge``.

    Where both are there and the build tells what is ``touched``, only what may have changed is
    written; the rows are the same.
    """
    report("family trees", 0, 1)
    partly = all(is_there(db, f"main.{name}") for name in RELATIONS) and _tells_touched(db)
    if partly:
        db.execute(f"create or replace temp table old_family as {OLD_FAMILY}")
    db.execute(f"create or replace temp table regrown as {REGROWN if partly else ALL}")
    members = _grown(db)
    # In pieces, or one thread alone would read it.
    db.register("members", pa.Table.from_batches(members.to_batches(PIECE_ROWS), members.schema))
    for name in RELATIONS:
        relation = read_relation("analysis", name)
        (_patch if partly else create_relation)(db, relation)
    db.unregister("members")
    report("family trees", 1, 1)


def _patch(db: duckdb.DuckDBPyConnection, relation: Relation) -> None:
    """Bring the rows of families that were grown anew up to date; most stay as they are."""
    name, keys = relation.name, ", ".join(relation.grain)
    db.execute(f"create or replace temp table grown as {relation.sql}")
    db.execute(
        f"create or replace temp table before as select * from {name}"  # noqa: S608
        " where family_id in (select family_id from old_family)"
    )
    db.execute(
        f"delete from {name} where {keys} in (select {keys} from (from before except from grown))"  # noqa: S608
    )
    db.execute(f"insert into {name} from grown except from before")


def _tells_touched(db: duckdb.DuckDBPyConnection) -> bool:
    sql = "select 1 from duckdb_tables() where table_name = 'touched' and temporary"
    return bool(db.execute(sql).fetchall())


def _grown(db: duckdb.DuckDBPyConnection) -> pa.Table:
    models = db.sql("from regrown order by rowid").to_arrow_table()
    edges = db.execute(EDGES).fetchnumpy()
    places = [np.asarray(edges[name], np.int64) for name in ("child", "parent", "rank")]
    members = family_members(models["repo_id"], *places)
    for name in ("known", "downloads_30d"):
        members = members.append_column(name, models[name])
    return members


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
    Table of n rows: repo_id, family_id (the root of its largest tree), family_size, cycle_id,
    primary_parent_id, root_id, generation, generation_shortest, is_root. Missing ids are null:
    a model outside any cycle, a root without parent.

    """
    trees = grow_trees(child, parent, rank, model_count=len(ids))
    ids = ids.combine_chunks()
    return pa.table(
        {
            "repo_id": ids,
            "family_id": _named(ids, trees.family),
            "family_size": np.bincount(trees.family, minlength=len(ids))[trees.family],
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
