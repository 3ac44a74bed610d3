-- Which models name each other as base, so that nobody can tell which came first?
-- Params:
--   $limit 50: rows at most
select cycle_id, count(*) as member_count, list(repo_id order by repo_id) as member_ids
from family_member
where cycle_id is not null
group by cycle_id
order by member_count desc, cycle_id
limit $limit
