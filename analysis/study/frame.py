"""The frame of a study: its models, edges and owners as numbered rows of temporary tables.

- ``node``: a model, known or ghost, numbered from 0 in the order of repo_id, with its traits, its
  place in its family (as `analysis.trees` finds it) and its owner's number.
- ``kin``: an edge of declared lineage, numbered from 0, child and parent by their numbers.
- ``owner``: an owner, numbered from 0, and whether it uploads in bulk (``bulk_uploader``).

What is as of a time is what was known then: the newest look at each model by that time, and the
edges that its tags declared. What looks do not keep (task, library, architecture, parameters) is as
it is now.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from analysis.study.measures import Study
from analysis.trees import NONE, Ints, Trees, grow_trees

# The Hub gives every repo made before this moment one and the same time of creation.
FIRST_DATED_AT = "2022-03-03"
PRESENT = """
select
    repo_id, known, author, created_at, downloads_30d, license, pipeline_tag, library_name,
    model_type, architecture, parameter_count, gated, gone_at
from main.model
"""
# A ghost is what an edge names and no listing had held by then.
PAST = """
with look as (
    from main.model_as_of({moment})
),
ghost as (
    select distinct parent_id
    from main.base_model_edge_as_of({moment})
    where parent_id not in (select repo_id from look)
)
select
    look.repo_id, true as known, look.author, look.created_at, look.downloads_30d, look.license,
    present.pipeline_tag, present.library_name, present.model_type, present.architecture,
    present.parameter_count, look.gated, look.gone_at
from look
left join main.model as present on present.repo_id = look.name_now
union all by name
select
    parent_id as repo_id,
    false as known,
    case when contains(parent_id, '/') then split_part(parent_id, '/', 1) end as author
from ghost
"""
EDGES = {
    "present": """
        select child_id, parent_id, relation, evidence, confidence, position
        from main.base_model_edge""",
    "past": """
        select child_id, parent_id, coalesce(relation, 'unknown') as relation, evidence,
            1 as confidence, 1 as position
        from main.base_model_edge_as_of({moment})""",
}
NODE = """
create or replace temp table node_trait as
with subject as ({subject})
select
    row_number() over (order by repo_id) - 1 as node,
    coalesce(author, repo_id) as owner_name,
    subject.*,
    coalesce(created_at >= timestamp '{first}', false) as is_dated
from subject
order by repo_id
"""
OWNER = """
create or replace temp table owner as
select
    row_number() over (order by owner_name) - 1 as owner,
    owner_name as name,
    owner_name in (select owner from bulk_uploader) as is_bulk
from (select distinct owner_name from node_trait)
order by owner_name
"""
KIN = """
create or replace temp table kin as
with edge as ({edges})
select
    row_number() over (order by child.node, parent.node) - 1 as edge,
    child.node as child,
    parent.node as parent,
    relation,
    row_number() over (
        partition by child.node
        order by list_contains(evidence, 'tag') desc, confidence desc, len(evidence) desc,
            parent.known desc, position, parent.repo_id
    ) as rank
from edge
join node_trait as child on child.repo_id = child_id
join node_trait as parent on parent.repo_id = parent_id
order by child.node, parent.node
"""
PLACED = """
create or replace temp table node as
select
    node_trait.* exclude (owner_name),
    owner.owner,
    owner.is_bulk,
    place.* exclude (node)
from node_trait
join owner on owner.name = node_trait.owner_name
join place_rows as place on place.node = node_trait.node
order by node_trait.node
"""


def lay_out(study: Study) -> None:
    """Make ``node``, ``kin`` and ``owner``, and keep ``bulk_uploader``.

    Columns of ``node``: node, repo_id, known, author, created_at, is_dated (creation is known),
    downloads_30d, license, pipeline_tag, library_name, model_type, architecture, parameter_count,
    gated, gone_at, owner, is_bulk, family (number of its root's node), family_size, cycle,
    primary_parent, root, generation, generation_shortest, is_root. Missing is null, also in cycle
    and primary_parent. Columns of ``kin``: edge, child, parent, relation, rank (1 is the primary
    parent). Columns of ``owner``: owner, name, is_bulk.
    """
    time = "present" if study.as_of is None else "past"
    moment = f"timestamp '{study.as_of}'"
    subject = PRESENT if study.as_of is None else PAST.format(moment=moment)
    study.db.execute(NODE.format(subject=subject, first=FIRST_DATED_AT))
    study.db.execute(KIN.format(edges=EDGES[time].format(moment=moment)))
    study.keep("bulk_uploader")
    study.db.execute(OWNER)
    study.db.register("place_rows", _places(study))
    study.db.execute(PLACED)
    study.db.unregister("place_rows")
    study.db.execute("drop table node_trait")


def _places(study: Study) -> pa.Table:
    count = study.db.execute("select count(*) from node_trait").fetchall()[0][0]
    edges = study.arrays("select child, parent, rank from kin order by edge")
    trees = grow_trees(edges["child"], edges["parent"], edges["rank"], model_count=count)
    return _as_table(trees, count)


def _as_table(trees: Trees, count: int) -> pa.Table:
    sizes = np.bincount(trees.family, minlength=count)
    return pa.table(
        {
            "node": np.arange(count),
            "family": trees.family,
            "family_size": sizes[trees.family],
            "cycle": _or_null(trees.cycle),
            "primary_parent": _or_null(trees.primary_parent),
            "root": trees.root,
            "generation": trees.generation,
            "generation_shortest": trees.generation_shortest,
            "is_root": trees.is_root,
        }
    )


def _or_null(at: Ints) -> pa.Array:
    return pa.array(at, mask=at == NONE)
