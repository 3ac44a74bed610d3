-- The newest record of each repo that is made anew in this build.
-- Grain: repo_id
-- Source: landing.record
-- Kind: temporary
select record.*
from landing.record
join latest using (repo_id, hub_id)
where repo_id in (select repo_id from touched)
order by repo_id
