-- The looks that had been taken by a time, ts included.
-- Grain: repo_id, observed_at
-- Source: model_observation
-- Parameters: ts
-- Columns:
--   repo_id: the name that the repo had at that look
--   hub_id: the Hub's `_id`, which a rename does not change; the repo_id where the hub gave none
--   observed_at: UTC time of the look
--   sweep_id: pass over the listing that the look was part of
--   commit_sha: newest commit of its main branch at that look
--   last_modified_at: UTC time of the last change of the repo, as told at that look
--   downloads_30d: downloads in the 30 days before that look, as the Hub counts
--   downloads_all_time: downloads since its creation up to that look
--   likes_count: likes at that look
--   trending_score: the Hub's score of that day
--   gated: false, or by whom access was granted: auto, manual
--   is_private: false, for what is private is not taken in; null where the hub did not tell
--   is_disabled: whether the Hub had disabled it
--   license: licence that its tags, else its cardData declared; null where none was
--   base_models: ids that its tags declared as base, sorted; null where the look gave no tags
select
    repo_id,
    hub_id,
    observed_at,
    sweep_id,
    commit_sha,
    last_modified_at,
    downloads_30d,
    downloads_all_time,
    likes_count,
    trending_score,
    gated,
    is_private,
    is_disabled,
    license,
    base_models
from main.model_observation
where observed_at <= cast(ts as timestamp)
