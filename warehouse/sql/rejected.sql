-- What could not be taken in, and why: nothing is dropped in silence, and nothing here stopped a
-- build.
-- Grain: source, key, stage, reason
-- Source: landing tables, base_model_evidence
-- Columns:
--   source: raw file; for stage fetch the facet, for lineage the place of the claim (see
--     base_model_evidence)
--   key: repo, or place in the file, that it is about; for stage withheld the start of the SHA-256
--     of its name; null where it is a whole file
--   stage: where it was refused: raw (a file), parse, listing (a record or value), fetch (an
--     answer), front_matter, lineage, or withheld (a private repo)
--   reason: why, in one line
with bad_value as (
    select
        record.raw_file as source,
        repo_id as key,
        'listing' as stage,
        unnest(problems) as reason
    from landing.record
    join latest using (repo_id, hub_id)
    where problems is not null
),
broken_card as (
    -- what was wrong with a card that has been edited since is past
    select rejected.source, rejected.key, rejected.stage, rejected.reason
    from landing.rejected
    join landing.card on card.repo_id = rejected.key and card.raw_file = rejected.source
    where rejected.stage = 'front_matter'
),
asked as (
    select
        *,
        case
            when failure is null then status is null or status not in (200, 206, 404)
            when failure = 'entry-missing'
                then facet not in ('card', 'config', 'adapter_config', 'mergekit_config')
            -- what a probe learns of a repo is a tombstone or an alias
            when facet = 'probe' then failure not in ('gone', 'moved', 'disabled', 'access')
            else true
        end as is_bad
    from answer
    where repo_id is not null
),
newest_answer as (
    -- what failed and was answered later is past; pages of one answer stand together
    select *
    from asked
    where (facet, repo_id) in (select (facet, repo_id) from asked where is_bad)
    qualify raw_file = first_value(raw_file) over (
        partition by facet, repo_id, path order by fetched_at desc, raw_file desc, position desc
    )
),
bad_answer as (
    select
        facet as source,
        repo_id as key,
        'fetch' as stage,
        coalesce(failure || ': ', '') || coalesce('status ' || status, 'no status')
            || coalesce(' ' || error_code, '') as reason
    from newest_answer
    where is_bad
),
bad_claim as (
    select
        evidence as source,
        child_id as key,
        'lineage' as stage,
        refusal || ': ' || left(parent_id, 200) as reason
    from base_model_evidence
    where refusal is not null
        -- that a name alone makes no edge, and that a model's configuration names itself, is usual
        and evidence <> 'name'
        and not (evidence = 'config' and parent_id = child_id)
)
select distinct source, key, stage, reason
from (
    select source, key, stage, reason
    from landing.rejected
    where stage <> 'front_matter'
    union all
    select source, key, stage, reason from broken_card
    union all
    select source, key, stage, reason from bad_value
    union all
    select source, key, stage, reason from bad_answer
    union all
    select source, key, stage, reason from bad_claim
)
where key is null or key not in (select repo_id from withheld_repo)
order by stage, source, key, reason
