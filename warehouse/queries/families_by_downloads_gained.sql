-- Which families were downloaded most often between two looks?
-- Params:
--   $days 7: the earlier look is the newest that is so many days older than the newest of all
--   $least_downloads 1000: leaves out models with fewer downloads of all time
--   $limit 20: rows at most
-- Caveat: only models that were there at both looks count; the Hub counts requests, not users.
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
    family_member.family_id,
    sum(looked.newest_count - looked.earlier_count)::bigint as downloads_gained_count,
    count(*) as compared_count
from looked
join family_member using (repo_id)
where looked.earlier_at < looked.newest_at
group by family_member.family_id
order by downloads_gained_count desc, family_member.family_id
limit $limit
