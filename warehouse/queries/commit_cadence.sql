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
        popular.repo_id,
        popular.library_name,
        count(*) as commit_count,
        date_diff('second', min(commit.committed_at), max(commit.committed_at)) / 86400
            / nullif(count(*) - 1, 0) as interval_days
    from commit
    join popular using (repo_id)
    where commit.is_current
    group by popular.repo_id, popular.library_name
)
select
    library_name,
    count(*) as repo_count,
    median(commit_count) as median_commit_count,
    median(interval_days) as median_interval_days
from paced
group by library_name
order by repo_count desc, library_name nulls last
limit $limit
