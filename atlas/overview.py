"""What the whole warehouse holds, and places in it that are worth a look."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import duckdb
import pandas as pd

Connection = duckdb.DuckDBPyConnection


@dataclass(frozen=True)
class Freshness:
    """When the warehouse was built, and when a listing was last asked (both UTC)."""

    built_at: datetime
    data_as_of: datetime | None


@dataclass(frozen=True)
class Counts:
    """Sizes of the relations."""

    known_count: int
    ghost_count: int
    card_count: int
    edge_count: int
    family_count: int
    single_count: int
    rejected_count: int


@dataclass(frozen=True)
class Example:
    """A place worth a look: ``note`` says why, as a short text."""

    page: str
    identity: str
    note: str


def freshness(db: Connection) -> Freshness:
    """Read the row that the build left."""
    row = db.execute("select built_at, data_as_of from build").fetchone()
    assert row is not None
    return Freshness(*row)


def counts(db: Connection) -> Counts:
    """Count what is there; a family here has several members, the rest are ``single``."""
    row = db.execute(COUNTS).fetchone()
    assert row is not None
    return Counts(*row)


def relation_counts(db: Connection) -> dict[str, int]:
    """Number of edges of each relation that occurs."""
    rows = db.execute("select relation, count(*) from base_model_edge group by relation")
    return dict(rows.fetchall())


def rejected_reasons(db: Connection) -> pd.DataFrame:
    """Columns stage, reason, rejected_count, example: what could not be taken in, and why."""
    return db.execute(REJECTED).df()


def largest_families(db: Connection, *, most: int = 30) -> pd.DataFrame:
    """Columns family_id, member_count, relation, relation_count; the largest families first.

    ``relation`` is that of each member to its primary parent, and ``root`` where it has none.
    """
    return db.execute(RELATION_MIX, [most]).df()


def family_list(db: Connection, text: str = "", *, most: int = 500) -> pd.DataFrame:
    """Families of several members whose name holds ``text``, the largest first."""
    return db.execute(FAMILY_LIST, [text, most]).df()


def search_models(db: Connection, text: str, *, most: int = 20) -> pd.DataFrame:
    """Models whose repo_id holds ``text`` in any case, by downloads; ghosts too, at the end."""
    return db.execute(SEARCH, [text.strip(), most]).df()


def count_matches(db: Connection, text: str) -> int:
    """Number of models that `search_models` would find without its limit."""
    row = db.execute(
        "select count(*) from model where contains(lower(repo_id), lower(?))", [text.strip()]
    ).fetchone()
    assert row is not None
    return int(row[0])


def examples(db: Connection, *, most: int = 4) -> dict[str, list[Example]]:
    """Places worth a look in this warehouse, by heading; a heading without any is left out."""
    found = {
        heading: [Example(*row) for row in db.execute(sql, [most]).fetchall()]
        for heading, sql in EXAMPLES.items()
    }
    return {heading: places for heading, places in found.items() if places}


COUNTS = """
select
    (select count(*) from model where known),
    (select count(*) from model where not known),
    (select count(*) from card),
    (select count(*) from base_model_edge),
    (select count(*) from family where member_count > 1),
    (select count(*) from family where member_count = 1),
    (select count(*) from rejected)
"""

REJECTED = """
select
    stage,
    regexp_replace(reason, ':.*', '', 's') as reason,
    count(*) as rejected_count,
    min(key) as example
from rejected
group by all
order by rejected_count desc, stage, reason
"""

RELATION_MIX = """
with largest as (
    select family_id, member_count
    from family
    where member_count > 1
    order by member_count desc, family_id
    limit ?
)
select
    largest.family_id,
    largest.member_count,
    coalesce(base_model_edge.relation, 'root') as relation,
    count(*) as relation_count
from largest
join family_member using (family_id)
left join base_model_edge
    on base_model_edge.child_id = family_member.repo_id
    and base_model_edge.parent_id = family_member.primary_parent_id
group by all
order by largest.member_count desc, largest.family_id, relation
"""

FAMILY_LIST = """
select family_id, member_count, len(root_ids) as root_count, depth, cycle_count, downloads_30d
from family
where member_count > 1 and contains(lower(family_id), lower(?))
order by member_count desc, family_id
limit ?
"""

SEARCH = """
select repo_id, known, model.downloads_30d, likes_count, pipeline_tag, family.family_id,
    member_count
from model
join family_member using (repo_id)
join family on family.family_id = family_member.family_id
where contains(lower(repo_id), lower(?))
order by known desc, model.downloads_30d desc nulls last, repo_id
limit ?
"""

EXAMPLES = {
    "Largest families": """
        select 'family', family_id, format('{:,} models', member_count)
        from family
        where member_count > 1
        order by member_count desc, family_id
        limit ?""",
    "Most downloaded roots": """
        select 'model', repo_id, format('{:,} downloads', model.downloads_30d)
        from family_member
        join model using (repo_id)
        join family using (family_id)
        where is_root and known and member_count > 1 and model.downloads_30d > 0
        order by model.downloads_30d desc, repo_id
        limit ?""",
    "Deepest lineages": """
        -- one model a family, else one long chain would fill the list
        select 'model', arg_min(repo_id, (-generation, repo_id)),
            format('{} generations', max(generation))
        from family_member
        where generation > 1
        group by family_id
        order by max(generation) desc, family_id
        limit ?""",
    "Merges of several": """
        -- one an owner: merges come in series
        with merge as (
            select child_id, count(*) as parent_count
            from base_model_edge
            where relation = 'merge'
            group by child_id
            having count(*) > 1
        )
        select 'model', arg_min(child_id, (-parent_count, child_id)),
            format('{} parents', max(parent_count))
        from merge
        group by split_part(child_id, '/', 1)
        order by max(parent_count) desc, 2
        limit ?""",
}
