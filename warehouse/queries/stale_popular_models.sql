-- Which models are much downloaded though nobody has touched them for long?
-- Params:
--   $days 365: days before the newest look without a change
--   $limit 20: rows at most
select repo_id, downloads_30d, last_modified_at, license
from model
where gone_at is null
    and last_modified_at < (select data_as_of - to_days($days) from build)
order by downloads_30d desc nulls last, repo_id
limit $limit
