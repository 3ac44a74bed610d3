-- Whose models take up the most storage?
-- Params:
--   $limit 20: rows at most
-- Caveat: as the Hub states it, old revisions too; stated_count models of model_count state any.
select
    author,
    sum(used_storage_bytes)::bigint as used_storage_bytes,
    count(used_storage_bytes) as stated_count,
    count(*) as model_count
from model
where known and gone_at is null and author is not null
group by author
having count(used_storage_bytes) > 0
order by used_storage_bytes desc, author
limit $limit
