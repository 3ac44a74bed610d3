-- Which models are most often quantized, merged, adapted or fine-tuned?
-- Params:
--   $relation quantized: finetune, adapter, quantized, merge or unknown
--   $limit 20: rows at most
-- Caveat: the Hub infers a relation where the author gave none.
with busiest as (
    select parent_id, count(*) as child_count
    from base_model_edge
    where relation = $relation
    group by parent_id
    order by child_count desc, parent_id
    limit $limit
)
select
    busiest.parent_id,
    busiest.child_count,
    model.downloads_30d,
    model.parameter_count,
    model.license
from busiest
join model on model.repo_id = busiest.parent_id
order by busiest.child_count desc, busiest.parent_id
