-- An old name that was known to be one at a time.
-- Grain: old_id
-- Source: alias
-- Parameters: ts
-- Columns:
--   old_id: the old name
--   repo_id: the name that it leads to at present
--   evidence: hub_id or redirect, as in alias
--   noticed_at: UTC time when it was noticed
select old_id, repo_id, evidence, noticed_at
from main.alias
where noticed_at <= cast(ts as timestamp)
