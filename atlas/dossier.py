"""All that the warehouse knows of one model, and of one family, ready to be shown."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import duckdb
import pandas as pd

from atlas import AtlasError
from warehouse.front_matter import split_card

Connection = duckdb.DuckDBPyConnection


class UnknownFamily(AtlasError):
    """No family of this name in the warehouse."""


@dataclass(frozen=True)
class Family:
    """One family's sizes; ``root_ids`` are all its roots."""

    family_id: str
    member_count: int
    known_count: int
    edge_count: int
    root_ids: list[str]
    depth: int
    cycle_count: int
    downloads_30d: int


@dataclass(frozen=True)
class Card:
    """A README as last answered: its text without front matter, and the front matter apart."""

    text: str
    front_matter: dict[str, Any] | None
    character_count: int


def model_facts(db: Connection, repo_id: str) -> dict[str, Any]:
    """The model's row with its place in its family, by column; the model must be there.

    ``relation`` is that to its primary parent, None for a root.
    """
    cursor = db.execute(FACTS, [repo_id])
    row = cursor.fetchone()
    assert row is not None
    assert cursor.description is not None
    return dict(zip((column[0] for column in cursor.description), row, strict=True))


def ancestry(db: Connection, repo_id: str) -> list[str]:
    """Names from the root to the model along primary parents."""
    return [row[0] for row in db.execute(ANCESTRY, [repo_id]).fetchall()]


def parent_claims(db: Connection, repo_id: str) -> pd.DataFrame:
    """Every place that names a base model for this model, refused claims too.

    Columns parent_id, relation, evidence, refusal (None where the claim stands).
    """
    return db.execute(CLAIMS, [repo_id]).df()


def children(db: Connection, repo_id: str) -> pd.DataFrame:
    """Columns child_id, relation, evidence, downloads_30d; the most downloaded first."""
    return db.execute(CHILDREN, [repo_id]).df()


def files(db: Connection, repo_id: str) -> pd.DataFrame:
    """Columns path, size_bytes, lfs_sha256 of each file of the repo."""
    return db.execute(
        "select path, size_bytes, lfs_sha256 from repo_file where repo_id = ? order by path",
        [repo_id],
    ).df()


def card(db: Connection, repo_id: str) -> Card | None:
    """The model's card, or None where its repo has none."""
    row = db.execute(
        "select text, front_matter::varchar, character_count from card where repo_id = ?",
        [repo_id],
    ).fetchone()
    if row is None:
        return None
    fields = json.loads(row[1]) if row[1] else None
    return Card(
        text=split_card(row[0])[1],
        front_matter=fields if isinstance(fields, dict) else None,
        character_count=row[2],
    )


def family_summary(db: Connection, family_id: str) -> Family:
    """One family's sizes; raises `UnknownFamily`."""
    row = db.execute(FAMILY, [family_id]).fetchone()
    if row is None:
        raise UnknownFamily(f"no family {family_id!r} in this warehouse")
    return Family(*row)


def family_of(db: Connection, repo_id: str) -> str | None:
    """The family that a model belongs to, or None where there is no such model."""
    row = db.execute("select family_id from family_member where repo_id = ?", [repo_id]).fetchone()
    return None if row is None else str(row[0])


def family_relations(db: Connection, family_id: str) -> dict[str, int]:
    """Number of edges of each relation inside a family."""
    return dict(db.execute(FAMILY_RELATIONS, [family_id]).fetchall())


def family_members(db: Connection, family_id: str) -> pd.DataFrame:
    """The table twin of a family's tree: every member, by generation, then downloads."""
    return db.execute(MEMBERS, [family_id]).df()


def cycle_members(db: Connection, family_id: str) -> list[list[str]]:
    """The members of each cycle of a family: models that declare one another as base."""
    return [row[0] for row in db.execute(CYCLES, [family_id]).fetchall()]


FACTS = """
select
    model.repo_id, known, author, commit_sha, created_at, last_modified_at, pipeline_tag,
    library_name, license, model_type, architecture, parameter_count, used_storage_bytes,
    model.downloads_30d, downloads_all_time, likes_count, gated, is_private, is_disabled,
    gone_at, gone_reason, first_seen_at, last_seen_at, base_model_edge.relation,
    family_member.family_id, generation, is_root, root_id, cycle_id, member_count
from model
join family_member using (repo_id)
join family on family.family_id = family_member.family_id
left join base_model_edge
    on base_model_edge.child_id = model.repo_id
    and base_model_edge.parent_id = family_member.primary_parent_id
where model.repo_id = ?
"""

ANCESTRY = """
with recursive step(repo_id, distance) as (
    select ?, 0
    union all
    select primary_parent_id, distance + 1
    from step
    join family_member using (repo_id)
    -- the bound ends a walk that a damaged file might lead around in a ring
    where primary_parent_id is not null and distance < 200
)
select repo_id from step order by distance desc
"""

CLAIMS = """
select parent_id, relation, evidence, refusal
from base_model_evidence
where child_id = ?
order by refusal is not null, parent_id, evidence, relation
"""

CHILDREN = """
select child_id, relation, array_to_string(evidence, ', ') as evidence, downloads_30d
from base_model_edge
join model on model.repo_id = child_id
where parent_id = ?
order by downloads_30d desc nulls last, child_id
"""

FAMILY = """
select family_id, member_count, known_count, edge_count, root_ids, depth, cycle_count,
    downloads_30d
from family
where family_id = ?
"""

FAMILY_RELATIONS = """
select relation, count(*)
from base_model_edge
join family_member on family_member.repo_id = child_id
where family_id = ?
group by relation
"""

MEMBERS = """
with edge as (
    select child_id, list(parent_id order by position, parent_id) as ids
    from base_model_edge
    where child_id in (select repo_id from family_member where family_id = $1)
    group by child_id
)
select
    model.repo_id,
    family_member.generation,
    coalesce(primary_edge.relation, case when is_root then 'root' end) as relation,
    primary_parent_id,
    array_to_string(
        list_filter(edge.ids, lambda id: id <> primary_parent_id), ', '
    ) as other_parents,
    array_to_string(primary_edge.evidence, ', ') as evidence,
    known,
    downloads_30d,
    likes_count,
    pipeline_tag,
    library_name,
    license,
    parameter_count,
    created_at
from family_member
join model using (repo_id)
left join edge on edge.child_id = model.repo_id
left join base_model_edge as primary_edge
    on primary_edge.child_id = model.repo_id and primary_edge.parent_id = primary_parent_id
where family_id = $1
order by family_member.generation, downloads_30d desc nulls last, model.repo_id
"""

CYCLES = """
select list(repo_id order by repo_id)
from family_member
where family_id = ? and cycle_id is not null
group by cycle_id
order by cycle_id
"""
