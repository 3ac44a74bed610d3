-- One look at one repo: what a listing said of it at a time, under the name that it had then.
-- base_models are the ids that its tags declared, sorted; null where the listing gave no tags.
-- Grain: repo_id, observed_at
-- Source: the records of all listings
-- Kind: view
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
