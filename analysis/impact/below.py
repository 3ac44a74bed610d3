"""What was made from a few repos, laid out as a study's frame is, without the rest of the hub."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

BELOW = """
create or replace temp table below as
with recursive found(repo_id, distance) using key (repo_id) as (
    select repo_id, 0 from asked
    union
    select edge.child_id, min(found.distance) + 1
    from found
    join main.base_model_edge as edge on edge.parent_id = found.repo_id
    left join recurring.found as known on known.repo_id = edge.child_id
    where known.repo_id is null
    group by edge.child_id
)
select repo_id from found
"""
EDGE = """
create or replace temp table edge as
select child_id, parent_id, relation
from main.base_model_edge
where child_id in (select repo_id from below)
"""
NODE = """
create or replace temp table node as
with touched as (
    select repo_id from below
    union
    select parent_id from edge
)
select
    row_number() over (order by repo_id) - 1 as node,
    dense_rank() over (order by coalesce(author, repo_id)) - 1 as owner,
    repo_id,
    coalesce(author, repo_id) as owner_name,
    known,
    created_at,
    gone_at,
    downloads_30d
from main.model
where repo_id in (select repo_id from touched)
"""
KIN = """
create or replace temp table kin as
select child.node as child, parent.node as parent, edge.relation
from edge
join node as child on child.repo_id = edge.child_id
join node as parent on parent.repo_id = edge.parent_id
"""


def lay_out_below(db: duckdb.DuckDBPyConnection, repo_ids: Sequence[str]) -> None:
    """Make the temporary tables ``asked``, ``below``, ``edge``, ``node`` and ``kin``.

    ``asked`` holds the repos, ``below`` them and all that was made from them, ``edge`` these with
    all their parents; ``node`` and ``kin`` are what `analysis.impact.dependence` reads.
    """
    db.execute(
        "create or replace temp table asked as select unnest($1::varchar[]) as repo_id",
        [list(repo_ids)],
    )
    for sql in (BELOW, EDGE, NODE, KIN):
        db.execute(sql)
