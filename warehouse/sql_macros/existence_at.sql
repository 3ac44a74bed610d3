-- Whether each repo was there at a time, by all that is known now, whoever knew it then.
-- A repo without a creation time counts from when it was first seen.
-- Grain: repo_id
-- Source: model
-- Ref: all that is older than 2022-03-02T23:29:04Z bears that moment as its creation (ModelInfo of
-- huggingface_hub), so whether it was there before is unsure
-- Parameters: ts
-- Columns:
--   repo_id: repo by its name now
--   existence: there (created by ts and seen at ts or later), gone (a probe had told so by ts), or
--     unsure (neither seen nor missed since it was last seen before ts)
--   was_known: whether anybody had looked at it by ts
--   created_at: UTC time of creation; null where the hub did not tell
--   first_seen_at: UTC time of the first look at it
--   last_seen_at: UTC time of the newest look at it
--   gone_at: UTC time when a probe noticed that it is gone, disabled or gated; null where none did
with dated as (
    select
        repo_id,
        created_at,
        first_seen_at,
        last_seen_at,
        gone_at,
        coalesce(created_at, first_seen_at) as since_at,
        cast(created_at as timestamp(0)) = timestamp '2022-03-02 23:29:04' as is_truncated
    from main.model
    where known
)
select
    repo_id,
    case
        when gone_at <= cast(ts as timestamp) then 'gone'
        when since_at <= cast(ts as timestamp) and last_seen_at >= cast(ts as timestamp)
            then 'there'
        else 'unsure'
    end as existence,
    first_seen_at <= cast(ts as timestamp) as was_known,
    created_at,
    first_seen_at,
    last_seen_at,
    gone_at
from dated
where since_at <= cast(ts as timestamp) or is_truncated
