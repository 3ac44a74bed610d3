-- Which models are still there whose base model has been deleted or disabled?
-- Params:
--   $limit 50: rows at most
-- Caveat: only parents that were listed once are known to be gone; see ghosts for the others.
select
    edge.child_id,
    edge.parent_id,
    edge.relation,
    tombstone.reason as gone_reason,
    tombstone.noticed_at as gone_at,
    child.downloads_30d
from base_model_edge as edge
join tombstone on tombstone.repo_id = edge.parent_id
join model as child on child.repo_id = edge.child_id
where tombstone.reason in ('gone', 'disabled') and child.gone_at is null
order by child.downloads_30d desc nulls last, edge.child_id, edge.parent_id
limit $limit
