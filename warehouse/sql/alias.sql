-- An old name of a repo: listings held one `_id` under both names, or the hub led from one to the
-- other. A name that another repo has taken since is no alias.
-- Grain: old_id
-- Source: the records of all listings, the facet probe
-- Columns:
--   old_id: the name that is no more; looks, answers and declarations of then still bear it
--   repo_id: the repo's name now
--   evidence: hub_id where listings tell (one `_id` under both names), redirect where a probe was
--     led on
--   noticed_at: UTC time when the newer name was first listed under that `_id`, or the probe's time
-- References:
--   repo_id -> model: dangles where the hub led to a name that no listing has held
with moved as (
    -- only a repo that had several names can have an old one
    select hub_id from name_seen group by hub_id having count(*) > 1
),
named as (
    select hub_id, repo_id, first_at, last_look
    from name_seen
    where hub_id in (select hub_id from moved)
),
newest_name as (
    select hub_id, repo_id, first_at
    from named
    qualify row_number() over (partition by hub_id order by last_look desc, repo_id) = 1
),
renamed as (
    select
        named.repo_id as old_id,
        newest_name.repo_id,
        'hub_id' as evidence,
        newest_name.first_at as noticed_at,
        named.last_look
    from named
    join newest_name using (hub_id)
    where named.repo_id <> newest_name.repo_id
    union all
    select old_id, repo_id, 'redirect' as evidence, noticed_at, null as last_look
    from redirect
)
select old_id, repo_id, evidence, noticed_at
from renamed
where old_id not in (select repo_id from latest) or evidence = 'redirect'
qualify row_number() over (
    partition by old_id order by evidence, last_look desc nulls last, repo_id
) = 1
order by old_id
