-- A stratified sample of the listed models, drawn so that estimates over it can be weighted.
-- Grain: sample_id
-- Source: raw/sample
-- Ref: Castaño, Martínez-Fernández, Franch, "Lessons Learned from Mining the Hugging Face
-- Repository" (2024)
with newest as (
    select entry
    from landing.journal
    where facet = 'sample' and try_cast(entry->>'sample_id' as bigint) is not null
    qualify row_number() over (
        partition by try_cast(entry->>'sample_id' as bigint) order by raw_file desc
    ) = 1
)
select
    try_cast(entry->>'sample_id' as bigint) as sample_id,
    try_cast(entry->>'seed' as bigint) as seed,
    try_cast(entry->>'drawn_at' as timestamp) as drawn_at,
    try_cast(entry->'strata' as varchar[]) as strata,
    entry->>'allocation' as allocation,
    entry->>'target' as target,
    try_cast(entry->>'frame_count' as bigint) as frame_count,
    try_cast(entry->>'sample_count' as bigint) as sample_count
from newest
order by sample_id
