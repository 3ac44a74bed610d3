-- Which models name their base model in a sentence of the card, and nowhere a program looks?
-- Params:
--   $limit 50: rows at most
-- Caveat: read by patterns of common templates; other wordings are not found.
select
    edge.child_id,
    edge.parent_id,
    edge.relation,
    child.downloads_30d
from base_model_edge as edge
join model as child on child.repo_id = edge.child_id
where edge.evidence in (['card_text'], ['card_text', 'name'])
order by child.downloads_30d desc nulls last, edge.child_id, edge.parent_id
limit $limit
