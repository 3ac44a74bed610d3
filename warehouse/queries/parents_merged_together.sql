-- Which two models are most often merged with each other?
-- Params:
--   $limit 20: rows at most
-- Caveat: a merge's base is one of its parents like any other; who merges in bulk weighs most.
with parent as (
    select child_id, parent_id
    from base_model_edge
    where relation = 'merge'
)
select
    one.parent_id,
    other.parent_id as other_parent_id,
    count(*) as merge_count,
    count(distinct split_part(child_id, '/', 1)) as owner_count
from parent as one
join parent as other using (child_id)
where one.parent_id < other.parent_id
group by one.parent_id, other.parent_id
order by merge_count desc, one.parent_id, other.parent_id
limit $limit
