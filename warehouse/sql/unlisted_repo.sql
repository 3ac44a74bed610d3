-- A repo that answers were stored about and that no listing holds, under that name at least.
-- Grain: repo_id
-- Source: landing.answer
-- Kind: landing
select distinct repo_id
from landing.answer
where repo_id is not null and repo_id not in (select repo_id from latest)
