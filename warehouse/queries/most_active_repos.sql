-- Which repos were committed to most often lately?
-- Params:
--   $days 30: days before the newest look
--   $limit 20: rows at most
-- Caveat: commits that were squashed or rewritten since count too; trainers that push checkpoints
-- make many.
with recent as (
    select repo_id, count(*) as commit_count, max(committed_at) as last_commit_at
    from commit
    where committed_at > (select data_as_of - to_days($days) from build)
    group by repo_id
    order by commit_count desc, repo_id
    limit $limit
)
select repo_id, recent.commit_count, recent.last_commit_at, model.downloads_30d
from recent
join model using (repo_id)
order by recent.commit_count desc, repo_id
