-- A repo that was known to be gone, disabled or gated at a time: by the newest probe at or before
-- ts, where no listing had held the repo after it.
-- Grain: repo_id
-- Source: model_as_of
-- Parameters: ts
-- Columns:
--   repo_id: the name that the repo had when it was last seen
--   reason: gone, disabled or gated
--   noticed_at: UTC time of the probe
select repo_id, gone_reason as reason, gone_at as noticed_at
from model_as_of(ts)
where gone_at is not null
