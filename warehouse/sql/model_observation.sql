-- One look at one repo: what a listing said of it at a time.
-- Grain: repo_id, observed_at
-- Source: landing.record
with looks as (
    select
        record->>'id' as repo_id,
        coalesce(record->>'_id', record->>'id') as hub_id,
        fetched_at as observed_at,
        raw_file,
        position,
        record
    from landing.record
    where record->>'id' in (select repo_id from latest_record)
)
select
    repo_id,
    hub_id,
    observed_at,
    record->>'sha' as commit_sha,
    try_cast(record->>'lastModified' as timestamp) as last_modified_at,
    try_cast(record->>'downloads' as bigint) as downloads_30d,
    try_cast(record->>'downloadsAllTime' as bigint) as downloads_all_time,
    try_cast(record->>'likes' as bigint) as likes_count,
    try_cast(record->>'trendingScore' as double) as trending_score,
    record->>'gated' as gated,
    try_cast(record->>'private' as boolean) as is_private
from looks
qualify row_number() over (
    partition by repo_id, observed_at order by raw_file desc, position desc
) = 1
order by repo_id, observed_at
