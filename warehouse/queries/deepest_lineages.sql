-- Which models have the longest line of ancestors?
-- Params:
--   $limit 20: rows at most
-- Caveat: generation follows declarations, true or not; models in a cycle share one.
select repo_id, generation, generation_shortest, primary_parent_id, root_id
from family_member
where generation > 0
order by generation desc, generation_shortest desc, repo_id
limit $limit
