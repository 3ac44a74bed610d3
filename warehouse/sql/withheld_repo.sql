-- A repo that answers were stored about though it is private, so that no relation names it.
-- Grain: repo_id
-- Source: unlisted_repo, landing.rejected
-- Kind: landing
select repo_id
from unlisted_repo
where left(sha256(repo_id), 12) in (select key from landing.rejected where stage = 'withheld')
