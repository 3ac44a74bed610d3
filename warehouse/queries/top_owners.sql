-- Whose models are downloaded most?
-- Params:
--   $limit 20: rows at most
select
    author,
    count(*) as model_count,
    sum(downloads_30d)::bigint as downloads_30d,
    sum(likes_count)::bigint as likes_count
from model
where known and gone_at is null and author is not null
group by author
order by downloads_30d desc nulls last, author
limit $limit
