-- The newest record of each repo that may be taken in: one by `_id` (a renamed repo keeps it),
-- then one by name (a repo deleted and made anew has another `_id`), and none of an old name that
-- leads to a repo which is listed. What a hub lists goes before what a copy on this machine knows.
-- Grain: repo_id
-- Source: landing.record
with newest_by_hub_id as (
    select *
    from landing.record
    where repo_id in (select repo_id from landing.look)
    qualify row_number() over (
        partition by hub_id order by fetched_at desc, raw_file desc, position desc
    ) = 1
)
select
    repo_id,
    hub_id,
    raw_file,
    fetched_at,
    record
from newest_by_hub_id
where repo_id not in (
    select old_id from redirect where redirect.repo_id in (select repo_id from landing.look)
)
qualify row_number() over (
    partition by repo_id order by starts_with(hub_id, 'local-'), fetched_at desc, hub_id desc
) = 1
