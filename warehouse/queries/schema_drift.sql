-- Which fields does the Hub tell that this version does not know, or in another type than it holds?
-- Params:
--   $limit 50: rows at most
-- Caveat: nothing is lost: the values are in model_metadata.other_fields.
select
    field,
    kind,
    json_type,
    count(*) as model_count,
    min(repo_id) as first_repo_id
from model_field_drift
group by field, kind, json_type
order by model_count desc, field, kind, json_type
limit $limit
