-- The licence that a repo declared, as known at a time: by its newest look at or before ts.
-- Grain: repo_id
-- Source: model_as_of, model
-- Parameters: ts
-- Columns:
--   repo_id: the name that the repo had at that look
--   license: licence that it declared; null where none was
--   last_seen_at: UTC time of that look
--   license_now: licence of the newest look of all; null where it declares none or was replaced
--   is_changed: whether the two differ; null where the repo has vanished since
select
    before.repo_id,
    before.license,
    before.last_seen_at,
    model.license as license_now,
    case
        when model.repo_id is not null and not before.is_vanished
            then before.license is distinct from model.license
    end as is_changed
from model_as_of(ts) as before
left join main.model on model.repo_id = before.name_now and model.known
