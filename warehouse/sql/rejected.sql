-- What could not be taken in, and why: nothing is dropped in silence. stage is where it was refused:
-- raw (a file), parse, listing (a record or value), fetch (an answer), front_matter, lineage, or
-- withheld (a private repo, whose key is the start of its name's SHA-256).
-- Grain: source, key, stage, reason
-- Source: landing tables, base_model_evidence
with bad_record as (
    select
        raw_file as source,
        coalesce(record->>'id', '#' || position) as key,
        'listing' as stage,
        case
            when json_type(record) <> 'OBJECT' then 'record is not an object'
            when record->>'id' is null then 'record has no id'
            else 'malformed repo id'
        end as reason
    from landing.record
    where repo_id is null or repo_id not in (select repo_id from landing.look)
),
field(name, type) as (
    values
    ('downloads', 'BIGINT'), ('likes', 'BIGINT'), ('createdAt', 'TIMESTAMP'),
    ('lastModified', 'TIMESTAMP')
),
bad_value as (
    select
        raw_file as source,
        repo_id as key,
        'listing' as stage,
        name || ' is no ' || lower(type) || ': ' || left(record->>name, 80) as reason
    from latest_record
    cross join field
    where record->>name is not null
        and case type
            when 'BIGINT' then try_cast(record->>name as bigint) is null
            else try_cast(record->>name as timestamp) is null
        end
    union all
    select
        raw_file as source,
        repo_id as key,
        'listing' as stage,
        name || ' is no list' as reason
    from latest_record
    cross join (values ('tags'), ('siblings')) as nested(name)
    where json_type(record->name) not in ('ARRAY', 'NULL')
),
newest_card as (
    select raw_file, repo_id
    from landing.card
    where failure is null or failure = 'entry-missing'
    qualify row_number() over (
        partition by repo_id order by fetched_at desc, raw_file desc
    ) = 1
),
newest_answer as (
    -- what failed and was answered later is past; pages of one answer stand together
    select *
    from answer
    where repo_id is not null
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
    where case
        when failure is null then status not in (200, 206, 404)
        when failure = 'entry-missing'
            then facet not in ('card', 'config', 'adapter_config', 'mergekit_config')
        -- what a probe learns of a repo is a tombstone or an alias
        when facet = 'probe' then failure not in ('gone', 'moved', 'disabled', 'access')
        else true
    end
),
bad_front_matter as (
    -- what was wrong with a card that has been edited since is past
    select rejected.source, rejected.key, rejected.stage, rejected.reason
    from landing.rejected
    join newest_card
        on newest_card.repo_id = rejected.key and newest_card.raw_file = rejected.source
    where rejected.stage = 'front_matter'
),
bad_claim as (
    select
        evidence as source,
        child_id as key,
        'lineage' as stage,
        refusal || ': ' || left(parent_id, 200) as reason
    from base_model_evidence
    where refusal is not null
)
select distinct source, key, stage, reason
from (
    select source, key, stage, reason
    from landing.rejected
    where stage <> 'front_matter'
    union all
    select source, key, stage, reason from bad_front_matter
    union all
    select source, key, stage, reason from bad_record
    union all
    select source, key, stage, reason from bad_value
    union all
    select source, key, stage, reason from bad_answer
    union all
    select source, key, stage, reason from bad_claim
)
where key is null or key not in (select repo_id from withheld_repo)
order by stage, source, key, reason
