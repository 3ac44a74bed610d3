-- Which models were downloaded most often between two looks?
-- Params:
--   $days 7: the earlier look is the newest that is so many days older than the newest of all
--   $least_downloads 1000: leaves out models with fewer downloads of all time
--   $limit 20: rows at most
-- Caveat: looks at models lie unevenly in time: see earlier_at and newest_at. The Hub counts
-- requests, not users, and has recounted in the past, so that a gain may be negative.
with popular as (
    select repo_id, hub_id
    from model
    where downloads_all_time >= $least_downloads
),
looked as (
    select
        popular.repo_id,
        max(look.observed_at) as newest_at,
        max_by(look.downloads_all_time, look.observed_at) as newest_count,
        max(look.observed_at) filter (
            where look.observed_at <= (select data_as_of - to_days($days) from build)
        ) as earlier_at,
        max_by(look.downloads_all_time, look.observed_at) filter (
            where look.observed_at <= (select data_as_of - to_days($days) from build)
        ) as earlier_count
    from model_observation as look
    join popular using (hub_id)
    where look.downloads_all_time is not null
    group by popular.repo_id
)
select
    repo_id,
    newest_count - earlier_count as downloads_gained_count,
    newest_count as downloads_all_time,
    earlier_at,
    newest_at
from looked
where earlier_at < newest_at
order by downloads_gained_count desc, repo_id
limit $limit
