-- How many models carry each licence, and how much are they downloaded?
-- Params:
--   $limit 30: rows at most
-- Caveat: the first declared licence counts; shares are of all models that are still there, those
-- without a licence too.
select
    license,
    count(*) as model_count,
    count(*) / sum(count(*)) over () as model_share,
    sum(downloads_30d)::bigint as downloads_30d,
    sum(downloads_30d) / sum(sum(downloads_30d)) over () as downloads_share
from model
where known and gone_at is null
group by license
order by model_count desc, license nulls last
limit $limit
