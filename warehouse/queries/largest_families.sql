-- Which families have the most members?
-- Params:
--   $limit 20: rows at most
-- Caveat: a family is all that declarations connect, however far; one merge can join two.
select family_id, member_count, known_count, edge_count, depth, downloads_30d
from family
order by member_count desc, downloads_30d desc, family_id
limit $limit
