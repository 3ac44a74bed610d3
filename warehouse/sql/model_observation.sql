-- One look at one repo: what a listing said of it at a time. base_models are the ids that its tags
-- declared then, sorted; null where the listing gave no tags.
-- Grain: repo_id, observed_at
-- Source: the records of all listings
with looks as (
    select *
    from landing.look
    where repo_id in (select repo_id from latest_record)
)
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
from looks
qualify row_number() over (
    partition by repo_id, observed_at order by raw_file desc, position desc
) = 1
order by repo_id, observed_at
