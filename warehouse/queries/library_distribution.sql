-- Which libraries are models made for, and how much are they downloaded?
-- Params:
--   $limit 30: rows at most
select
    library_name,
    count(*) as model_count,
    count(*) / sum(count(*)) over () as model_share,
    sum(downloads_30d)::bigint as downloads_30d,
    sum(downloads_30d) / sum(sum(downloads_30d)) over () as downloads_share
from model
where known and gone_at is null
group by library_name
order by model_count desc, library_name nulls last
limit $limit
