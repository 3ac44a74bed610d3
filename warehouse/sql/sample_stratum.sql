-- A stratum of a sample: how many models it has in the frame and in the sample, and with what
-- probability each of its models was drawn.
-- Grain: sample_id, stratum
-- Source: what the crawler tells of its samples
-- Columns:
--   sample_id: number of the sample that it belongs to
--   stratum: its name: the value of each variable that the listing was split by
--   frame_count: models of the frame in it
--   sample_count: models of the sample in it
--   deviation: standard deviation of the sample's target within the frame's stratum; 0 for a
--     stratum of one, null where it is not known
--   inclusion_probability: sample_count by frame_count (0–1)
-- References:
--   sample_id -> sample
with newest as (
    select try_cast(entry->>'sample_id' as bigint) as sample_id, entry
    from landing.journal
    where facet = 'sample' and try_cast(entry->>'sample_id' as bigint) is not null
    qualify row_number() over (
        partition by try_cast(entry->>'sample_id' as bigint) order by raw_file desc
    ) = 1
),
drawn as (
    select
        sample_id,
        unnest(from_json(
            entry->'stratum',
            '[{"stratum": "VARCHAR", "frame_count": "BIGINT", "sample_count": "BIGINT",
               "deviation": "DOUBLE", "inclusion_probability": "DOUBLE"}]'
        )) as stratum
    from newest
    where json_type(entry, '$.stratum') = 'ARRAY'
)
select
    sample_id,
    stratum.stratum as stratum,
    stratum.frame_count as frame_count,
    stratum.sample_count as sample_count,
    stratum.deviation as deviation,
    stratum.inclusion_probability as inclusion_probability
from drawn
order by sample_id, drawn.stratum.stratum
