-- Which models that nobody listed are most often named as base?
-- Params:
--   $limit 20: rows at most
-- Caveat: a ghost may be private, deleted before the first crawl, misspelt, or of another hub.
select edge.parent_id, count(*) as child_count, min(edge.child_id) as first_child_id
from base_model_edge as edge
join model as ghost on ghost.repo_id = edge.parent_id
where not ghost.known
group by edge.parent_id
order by child_count desc, edge.parent_id
limit $limit
