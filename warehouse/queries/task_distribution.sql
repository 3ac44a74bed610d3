-- How many models are there for each task, and how much are they downloaded?
-- Params:
--   $limit 30: rows at most
-- Caveat: the Hub guesses a task where the author gave none.
select
    pipeline_tag,
    count(*) as model_count,
    count(*) / sum(count(*)) over () as model_share,
    sum(downloads_30d)::bigint as downloads_30d,
    sum(downloads_30d) / sum(sum(downloads_30d)) over () as downloads_share
from model
where known and gone_at is null
group by pipeline_tag
order by model_count desc, pipeline_tag nulls last
limit $limit
