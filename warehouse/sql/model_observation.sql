-- One look at one repo: what a listing said of it at a time, under the name that it had then. Null
-- says that the listing did not tell.
-- Grain: repo_id, observed_at
-- Source: the records of all listings
-- Kind: view
-- Columns:
--   repo_id: repo by its name then; see alias, or follow hub_id
--   hub_id: the Hub's `_id`, the same under all its names; the repo_id where the hub gave none
--   observed_at: UTC time of the answer
--   sweep_id: pass over the listing that looked
--   commit_sha: newest commit of its main branch then
--   last_modified_at: UTC time of the last change of the repo
--   downloads_30d: downloads in the 30 days before the look, as the Hub counts
--   downloads_all_time: downloads since its creation, as the Hub counts
--   likes_count: likes then
--   trending_score: the Hub's own measure of attention
--   gated: false, auto or manual, as in model
--   is_private: as in model
--   is_disabled: whether the Hub had disabled it
--   license: licence, as in model; null where none was declared
--   base_models: ids that its tags declared as base, sorted; null where the listing gave no tags
-- References:
--   repo_id -> model: dangles where the repo has another name now (see alias)
--   sweep_id -> sweep: dangles until the pass has ended
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
from landing.look
