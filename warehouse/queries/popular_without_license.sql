-- Which are the most downloaded models without a licence?
-- Params:
--   $limit 20: rows at most
-- Caveat: a licence may stand in a LICENSE file or in the card's prose all the same.
select repo_id, downloads_30d, likes_count, pipeline_tag, created_at
from model
where known and gone_at is null and license is null
order by downloads_30d desc nulls last, repo_id
limit $limit
