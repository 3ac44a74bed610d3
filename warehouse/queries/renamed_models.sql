-- Which models have been renamed, and what are they called now?
-- Params:
--   $limit 50: rows at most
-- Caveat: only names that a listing or a question by name has shown; old names may be taken anew.
select
    alias.old_id,
    alias.repo_id,
    alias.evidence,
    alias.noticed_at,
    model.downloads_30d
from alias
join model using (repo_id)
order by model.downloads_30d desc nulls last, alias.old_id
limit $limit
