-- An edge that a repo's tags declared, as known at a time: by its newest look at or before ts.
-- Claims that cards alone make are not in looks. The rules for ids are those of
-- base_model_evidence.
-- Grain: child_id, parent_id
-- Source: model_as_of, alias, base_model_name, base_model_edge
-- Parameters: ts
-- Columns:
--   child_id: the repo that declared it, by its name then
--   parent_id: the base model; by the name that it has now where it was known by ts to have another
--     than the declared one, and where only one repo that was known by ts can be meant (see case
--     and owner in base_model_name)
--   relation: relation of the present edge, for looks keep none; null where the edge is declared no
--     more
--   evidence: always tag
--   last_seen_at: UTC time of the look that declared it
--   is_declared_now: whether base_model_edge holds it at present, under whatever names
with look as (
    select repo_id, name_now, base_models, last_seen_at
    from model_as_of(ts)
),
claim as (
    select
        repo_id as child_id,
        name_now as child_now,
        unnest(base_models) as declared_id,
        last_seen_at
    from look
    where len(base_models) > 0
),
meant as (
    select declared_id, repo_id
    from main.base_model_name
    where resolved_by in ('case', 'owner')
        and repo_id in (select repo_id from look)
        and declared_id not in (select repo_id from look)
),
named as (
    select
        child_id,
        child_now,
        coalesce(moved.repo_id, meant.repo_id, declared_id) as parent_id,
        coalesce(named_now.repo_id, present.repo_id, declared_id) as parent_now,
        last_seen_at
    from claim
    left join main.alias as moved
        on moved.old_id = declared_id and moved.noticed_at <= cast(ts as timestamp)
    left join meant using (declared_id)
    left join main.base_model_name as named_now using (declared_id)
    left join main.alias as present on present.old_id = declared_id
    where regexp_full_match(declared_id, '(\w([\w.\-]{0,94}\w)?/)?\w([\w.\-]{0,94}\w)?')
        and not contains(declared_id, '--')
        and not contains(declared_id, '..')
        and not ends_with(declared_id, '.git')
)
select
    named.child_id,
    named.parent_id,
    any_value(edge.relation) as relation,
    ['tag'] as evidence,
    max(named.last_seen_at) as last_seen_at,
    count(edge.child_id) > 0 as is_declared_now
from named
left join main.base_model_edge as edge
    on edge.child_id = named.child_now and edge.parent_id = named.parent_now
where named.parent_id <> named.child_id
group by named.child_id, named.parent_id
