-- How many days pass until somebody first quantizes a model, by the month that it was made in?
-- Caveat: only models that have been quantized count, so recent months look fast. Models of before
-- March 2022 are left out: their creation is not known.
with quantized as (
    select edge.parent_id, min(child.created_at) as quantized_at
    from base_model_edge as edge
    join model as child on child.repo_id = edge.child_id
    where edge.relation = 'quantized'
    group by edge.parent_id
)
select
    date_trunc('month', parent.created_at)::date as created_month,
    count(*) as parent_count,
    median(date_diff('hour', parent.created_at, quantized.quantized_at) / 24) as lag_days
from quantized
join model as parent on parent.repo_id = quantized.parent_id
where parent.created_at >= '2022-03-03'
    and quantized.quantized_at >= parent.created_at
group by created_month
order by created_month
