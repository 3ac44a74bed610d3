-- Which gated models are downloaded most?
-- Params:
--   $limit 20: rows at most
select repo_id, gated, downloads_30d, likes_count, license
from model
where gone_at is null and gated in ('auto', 'manual')
order by downloads_30d desc nulls last, repo_id
limit $limit
