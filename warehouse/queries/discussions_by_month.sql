-- How many discussions are opened each month, and what has become of them?
-- Caveat: as they stand now, not as they stood then; pull requests are not in.
select
    date_trunc('month', created_at)::date as opened_month,
    count(*) as discussion_count,
    count(*) filter (where status = 'open') as open_count,
    count(*) filter (where status = 'closed') as closed_count,
    count(*) filter (where status = 'closed') / count(*) as closed_share
from discussion
where not is_pull_request
group by opened_month
order by opened_month
