-- Which repos get the most pull requests, and how many do they merge?
-- Params:
--   $least_pull_requests 3: leaves out repos with fewer
--   $limit 50: rows at most
-- Caveat: merged_share is of those that are decided; bots open many.
select
    repo_id,
    count(*) as pull_request_count,
    count(*) filter (where status = 'merged') as merged_count,
    count(*) filter (where status = 'closed') as closed_count,
    count(*) filter (where status in ('open', 'draft')) as open_count,
    count(*) filter (where status = 'merged')
        / nullif(count(*) filter (where status in ('merged', 'closed')), 0) as merged_share
from discussion
where is_pull_request
group by repo_id
having count(*) >= $least_pull_requests
order by pull_request_count desc, repo_id
limit $limit
