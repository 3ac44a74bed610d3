-- One pass over the listing, or an import, and whether it came to its end. Only what two complete
-- full passes no longer list is probed and may become a tombstone.
-- Grain: sweep_id
-- Source: what the crawler tells of its sweeps
-- Columns:
--   sweep_id: number of the pass; a later one is larger
--   kind: full, incremental (what changed since a time) or import
--   endpoint: address of the hub, or what was imported
--   started_at: UTC time of its begin by the clock here
--   ended_at: UTC time of its end
--   watermark_at: UTC time of its begin by the hub's clock: where the next incremental one starts
--   since_at: UTC time down to which an incremental one went; null for others
--   outcome: complete, incomplete (far fewer models than the pass before), limited (as it was told
--     to be), truncated (the hub gave no way on), looped (its pages repeat) or refused
--   expand: fields that it asked for beside the usual ones
--   listed_count: models that it listed
--   known_count: models known from the full pass before; null where there was none
--   missing_count: those of them that it did not list; null where there was none
--   notes: sentences that it told its user
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
