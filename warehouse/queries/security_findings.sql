-- In which models have the Hub's scanners found fault, the most downloaded first?
-- Params:
--   $limit 50: rows at most
-- Caveat: a finding is a scanner's suspicion, no verdict; who was not asked about has none.
with found as (
    select
        repo_id,
        count(*) as finding_count,
        list(distinct level order by level) as levels,
        min(path) as first_path
    from security_finding
    group by repo_id
)
select
    repo_id,
    found.finding_count,
    found.levels,
    found.first_path,
    model.downloads_30d
from found
join model using (repo_id)
order by model.downloads_30d desc nulls last, repo_id
limit $limit
