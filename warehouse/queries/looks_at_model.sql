-- How have a model's downloads and likes moved from look to look?
-- Params:
--   $model null: repo_id as it is now; null for the most downloaded
--   $limit 100: rows at most, the newest looks
-- Caveat: downloads_30d is a moving window, so two looks within 30 days share downloads. Looks
-- under earlier names of the repo are in.
with chosen as (
    select hub_id
    from model
    where known and ($model::varchar is null or repo_id = $model::varchar)
    order by downloads_30d desc nulls last, repo_id
    limit 1
)
select
    observed_at,
    repo_id,
    downloads_30d,
    downloads_all_time,
    likes_count,
    trending_score
from model_observation
where hub_id = (select hub_id from chosen)
order by observed_at desc, repo_id
limit $limit
