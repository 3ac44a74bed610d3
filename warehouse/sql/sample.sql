-- A stratified random sample of the listed models, drawn so that estimates over it can be weighted.
-- Grain: sample_id
-- Source: what the crawler tells of its samples
-- Ref: Castaño, Martínez-Fernández, Franch, "Lessons Learned from Mining the Hugging Face
-- Repository" (2024)
-- Columns:
--   sample_id: number of the sample; a later one is larger
--   seed: of the random numbers; the same seed draws the same sample of the same listing
--   drawn_at: UTC time
--   strata: what the listing was split by: pipeline_tag, size, popularity, cohort
--   allocation: proportional (to the strata's sizes) or neyman (to size times deviation)
--   target: what deviation is measured of
--   frame_count: models that it was drawn from
--   sample_count: models that it holds
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
