-- Which repos have had commits squashed or rewritten away?
-- Params:
--   $limit 50: rows at most
-- Caveat: seen only where commits were fetched before and after.
with lost as (
    select
        repo_id,
        count(*) as rewrite_count,
        sum(lost_commit_count)::bigint as lost_commit_count,
        max(noticed_at) as last_noticed_at
    from history_rewrite
    group by repo_id
)
select
    repo_id,
    lost.rewrite_count,
    lost.lost_commit_count,
    lost.last_noticed_at,
    model.downloads_30d
from lost
join model using (repo_id)
order by lost.lost_commit_count desc, repo_id
limit $limit
