-- Where the newest record of each repo is that may be taken in: one by `_id` (a renamed repo keeps
-- it), then one by name (a repo deleted and made anew has another `_id`), and none of an old name
-- that leads to a repo which is listed. What a hub lists goes before what a copy on this machine
-- knows.
-- Grain: repo_id
-- Source: landing.record
-- Kind: landing
-- Per: repo_id
with older as (
    -- only what is there twice has to be put in order
    select rowid
    from landing.record
    where hub_id in (select hub_id from landing.record group by hub_id having count(*) > 1)
    qualify row_number() over (
        partition by hub_id order by fetched_at desc, raw_file desc, position desc
    ) > 1
),
candidate as (
    select repo_id, hub_id, raw_file, position, fetched_at
    from landing.record
    where rowid not in (select rowid from older)
        and repo_id not in (
            select old_id from redirect where repo_id in (select repo_id from name_seen)
        )
)
select repo_id, hub_id, raw_file, position
from candidate
where repo_id not in (select repo_id from candidate group by repo_id having count(*) > 1)
union all
(
    select repo_id, hub_id, raw_file, position
    from candidate
    where repo_id in (select repo_id from candidate group by repo_id having count(*) > 1)
    qualify row_number() over (
        partition by repo_id order by starts_with(hub_id, 'local-'), fetched_at desc, hub_id desc
    ) = 1
)
