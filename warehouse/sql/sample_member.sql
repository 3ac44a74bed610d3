-- A model that a sample drew, and with what probability: weigh it by the inverse.
-- Grain: sample_id, repo_id
-- Source: what the crawler tells of its samples
-- Columns:
--   sample_id: number of the sample that it belongs to
--   repo_id: the model, by its name when it was drawn
--   stratum: the stratum that it was drawn from
--   inclusion_probability: probability with which it was drawn (0–1): it stands for the inverse of
--     that many models
-- References:
--   sample_id -> sample
--   sample_id, stratum -> sample_stratum
--   repo_id -> model: dangles where the repo has another name now (see alias), or was forgotten
with newest as (
    select try_cast(entry->>'sample_id' as bigint) as sample_id, entry
    from landing.journal
    where facet = 'sample' and try_cast(entry->>'sample_id' as bigint) is not null
    qualify row_number() over (
        partition by try_cast(entry->>'sample_id' as bigint) order by raw_file desc
    ) = 1
),
drawn as (
    select sample_id, unnest(try_cast(entry->'members' as varchar[][])) as member
    from newest
    where json_type(entry, '$.members') = 'ARRAY'
)
select distinct
    drawn.sample_id,
    drawn.member[1] as repo_id,
    drawn.member[2] as stratum,
    sample_stratum.inclusion_probability
from drawn
left join sample_stratum
    on sample_stratum.sample_id = drawn.sample_id and sample_stratum.stratum = drawn.member[2]
where drawn.member[1] is not null
order by drawn.sample_id, repo_id
