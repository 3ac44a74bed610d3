-- One pass over the listing: full, incremental or imported, and whether it came to its end.
-- watermark_at is when it began by the hub's clock, since_at down to when an incremental one went;
-- known_count are the models known from the sweep before, missing_count those of them not listed.
-- Grain: sweep_id
-- Source: raw/sweep
with newest as (
    select entry
    from landing.journal
    where facet = 'sweep' and try_cast(entry->>'sweep_id' as bigint) is not null
    qualify row_number() over (
        partition by try_cast(entry->>'sweep_id' as bigint) order by raw_file desc
    ) = 1
)
select
    try_cast(entry->>'sweep_id' as bigint) as sweep_id,
    entry->>'kind' as kind,
    entry->>'endpoint' as endpoint,
    try_cast(entry->>'started_at' as timestamp) as started_at,
    try_cast(entry->>'ended_at' as timestamp) as ended_at,
    try_cast(entry->>'watermark_at' as timestamp) as watermark_at,
    try_cast(entry->>'since_at' as timestamp) as since_at,
    entry->>'outcome' as outcome,
    try_cast(entry->'expand' as varchar[]) as expand,
    try_cast(entry->>'listed_count' as bigint) as listed_count,
    try_cast(entry->>'known_count' as bigint) as known_count,
    try_cast(entry->>'missing_count' as bigint) as missing_count,
    try_cast(entry->'notes' as varchar[]) as notes
from newest
order by sweep_id
