-- A repo that answers were stored about though it is private, so that no relation names it.
-- Grain: repo_id
-- Source: landing.answer, landing.rejected
-- Kind: landing
with unlisted as (
    select distinct repo_id
    from landing.answer
    where repo_id is not null and repo_id not in (select repo_id from latest)
)
select repo_id
from unlisted
where left(sha256(repo_id), 12) in (select key from landing.rejected where stage = 'withheld')
