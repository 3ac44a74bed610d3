-- An answer for commits that did not continue the history known before: a squash, a force push, or
-- a repo deleted and made anew.
-- Grain: repo_id, noticed_at
-- Source: the facet commits
-- Per: repo_id
-- Columns:
--   repo_id: repo by its name now
--   noticed_at: UTC time of the first answer of the new history; the rewrite happened before it and
--     after the answer before
--   lost_commit_count: commits known before that the new history does not hold
-- References:
--   repo_id -> model
with held as (
    select distinct repo_id, era, commit_sha
    from commit_listing
    where commit_sha is not null
),
begun as (
    select repo_id, era, min(answered_at) as noticed_at
    from commit_listing
    group by repo_id, era
),
lost as (
    select before.repo_id, before.era + 1 as era, count(*) as lost_commit_count
    from held as before
    left join held as after
        on after.repo_id = before.repo_id
        and after.era = before.era + 1
        and after.commit_sha = before.commit_sha
    where after.commit_sha is null
    group by before.repo_id, before.era
)
select
    lost.repo_id,
    begun.noticed_at,
    sum(lost.lost_commit_count)::bigint as lost_commit_count
from lost
-- what the present history holds is lost to none
join begun using (repo_id, era)
group by lost.repo_id, begun.noticed_at
order by lost.repo_id, begun.noticed_at
