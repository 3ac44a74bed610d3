-- From which models are the most others made, and how?
-- Params:
--   $limit 20: rows at most
-- Caveat: who uploads in bulk weighs most; owner_count says how many owners the children have.
with busiest as (
    select parent_id, count(*) as child_count
    from base_model_edge
    group by parent_id
    order by child_count desc, parent_id
    limit $limit
)
select
    edge.parent_id,
    count(*) as child_count,
    count(*) filter (where edge.relation = 'finetune') as finetune_count,
    count(*) filter (where edge.relation = 'adapter') as adapter_count,
    count(*) filter (where edge.relation = 'quantized') as quantized_count,
    count(*) filter (where edge.relation = 'merge') as merge_count,
    count(*) filter (where edge.relation = 'unknown') as unknown_count,
    count(distinct split_part(edge.child_id, '/', 1)) as owner_count
from base_model_edge as edge
where edge.parent_id in (select parent_id from busiest)
group by edge.parent_id
order by child_count desc, edge.parent_id
