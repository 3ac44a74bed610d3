-- Which models declare another licence than the model they were made from?
-- Params:
--   $parent_license null: only children of models with this licence; null for any
--   $limit 50: rows at most
-- Caveat: another licence is not always a breach; ask a lawyer, not a table.
select
    edge.child_id,
    child.license as child_license,
    edge.parent_id,
    parent.license as parent_license,
    edge.relation,
    child.downloads_30d
from base_model_edge as edge
join model as child on child.repo_id = edge.child_id
join model as parent on parent.repo_id = edge.parent_id
where child.license <> parent.license
    and ($parent_license::varchar is null or parent.license = $parent_license::varchar)
order by child.downloads_30d desc nulls last, edge.child_id, edge.parent_id
limit $limit
