-- How often are popular models committed to, by library?
-- Params:
--   $least_downloads 100: leaves out models with fewer downloads in 30 days
--   $limit 20: rows at most
-- Caveat: of the present history; a squashed one says nothing of its past. interval_days is between
-- first and last commit, per step, for repos with two commits or more.
with popular as (
    select repo_id, library_name
    from model
    where downloads_30d >= $least_downloads
),
paced as (
    select
        repo_id,
        count(*) as commit_count,
        date_diff('second', min(committed_at), max(committed_at)) / 86400
            / nullif(count(*) - 1, 0) as interval_days
    from commit
    where is_current
    group by repo_id
)
select
    library_name,
    count(*) as repo_count,
    median(commit_count) as median_commit_count,
    median(interval_days) as median_interval_days
from paced
join popular using (repo_id)
group by library_name
order by repo_count desc, library_name nulls last
limit $limit
