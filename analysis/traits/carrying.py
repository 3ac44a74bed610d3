"""Which values of a trait the two ends of each edge have, the parent's as of its child's creation.

An end of an edge that has no value reports nothing: it is not the empty set.
"""

from __future__ import annotations

from analysis.study.measures import Study
from analysis.traits.values import Trait

LONGEST_VALUE = 200  # free text is cut here
# Declared, and yet no statement.
UNSTATED = ("unknown", "???", "?", "none", "null", "n/a", "na", "tbd", "unspecified", "-")
# The newest look at the parent that was taken when the child was made, whatever its name was then.
THEN = """
create or replace temp table parent_then as
with parent as (
    select distinct parent as node from kin
),
hub as (
    select node, arg_max(hub_id, (observed_at, hub_id)) as hub_id
    from parent
    join related using (node)
    join main.model_observation using (repo_id)
    where observed_at <= coalesce({moment}, observed_at)
    group by node
),
look as (
    select node, observed_at, first(license order by repo_id) as license
    from hub
    join main.model_observation using (hub_id)
    where observed_at <= coalesce({moment}, observed_at)
    group by node, observed_at
),
made as (
    select edge, parent, created_at
    from kin
    join node on node.node = kin.child
    where is_dated
)
select made.edge, lower(look.license) as value
from made
asof join look on look.node = made.parent and made.created_at >= look.observed_at
"""
NEVER = "create or replace temp table parent_then as select 0 as edge, '' as value where false"
CLAIM = """
create or replace temp table claim as
select distinct node, left(trim(value), {longest}) as value
from ({sql})
where value is not null and trim(value) <> '' and {stated}
"""
SPELLING = """
create or replace temp table spelling as
select row_number() over (order by value) - 1 as code, value
from (
    select value from claim
    union
    select left(trim(value), {longest}) from parent_then
    where value is not null and trim(value) <> '' and {stated}
)
"""
# Of each edge the values of both ends, and which end has them.
CARRIED = """
create or replace temp table carried as
with held as (
    select node, code from claim join spelling using (value)
),
side as (
    select edge, code, true as of_child
    from kin join held on held.node = kin.child
    union all
    select edge, code, false as of_child
    from kin join held on held.node = kin.parent
    where edge not in (select edge from parent_then)
    union all
    select edge, code, false as of_child
    from parent_then join spelling on spelling.value = left(trim(parent_then.value), {longest})
)
select edge, code, bool_or(of_child) as in_child, bool_or(not of_child) as in_parent
from side
group by edge, code
"""


def carry(study: Study, trait: Trait) -> None:
    """Make ``carried`` and ``spelling`` of a trait, and ``parent_then``.

    ``carried``: edge, code of a value, in_child, in_parent. ``spelling``: code, value; numbered
    from 0 in the order of values. ``parent_then``: edges whose parent was looked at when the child
    was made, and its value then, which stands in ``carried`` in place of the present one.
    """
    moment = "null" if study.as_of is None else f"timestamp '{study.as_of}'"
    stated = f"lower(trim(value)) not in {UNSTATED}" if trait.name == "license" else "true"
    study.db.execute(THEN.format(moment=moment) if trait.looked else NEVER)
    study.db.execute(CLAIM.format(sql=trait.sql, longest=LONGEST_VALUE, stated=stated))
    study.db.execute(SPELLING.format(longest=LONGEST_VALUE, stated=stated))
    study.db.execute(CARRIED.format(longest=LONGEST_VALUE))
