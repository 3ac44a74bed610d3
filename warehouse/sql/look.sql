-- What each newly landed record says of the parts that move between looks.
-- Grain: raw_file, position
-- Source: landing.record
with fresh as (
    select
        raw_file,
        position,
        sweep_id,
        fetched_at,
        repo_id,
        hub_id,
        record,
        case
            when json_type(record, '$.tags') = 'ARRAY' then try_cast(record->'tags' as varchar[])
        end as tags
    from landing.record
    where raw_file not in (select raw_file from landing.look)
        and regexp_full_match(repo_id, '[\w.\-]{1,300}(/[\w.\-]{1,300})?')
        and not regexp_matches(repo_id, '(^|/)\.{1,2}(/|$)')
        and length(repo_id) <= 300
)
select
    raw_file,
    position,
    sweep_id,
    fetched_at as observed_at,
    repo_id,
    hub_id,
    record->>'sha' as commit_sha,
    try_cast(record->>'lastModified' as timestamp) as last_modified_at,
    try_cast(record->>'downloads' as bigint) as downloads_30d,
    try_cast(record->>'downloadsAllTime' as bigint) as downloads_all_time,
    try_cast(record->>'likes' as bigint) as likes_count,
    try_cast(record->>'trendingScore' as double) as trending_score,
    record->>'gated' as gated,
    try_cast(record->>'private' as boolean) as is_private,
    try_cast(record->>'disabled' as boolean) as is_disabled,
    coalesce(
        substr(list_filter(tags, lambda tag: starts_with(tag, 'license:'))[1], 9),
        record->>'$.cardData.license'
    ) as license,
    list_sort(list_distinct(list_transform(
        list_filter(tags, lambda tag: starts_with(tag, 'base_model:')),
        lambda tag: regexp_replace(
            tag, '^base_model:((finetune|adapter|quantized|merge):)?', ''
        )
    ))) as base_models
from fresh
