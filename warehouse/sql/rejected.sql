-- What could not be taken in, and why: nothing is dropped in silence. stage is where it was refused:
-- raw (a file), parse, listing (a record or value), fetch (an answer), front_matter, lineage.
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
    where record->>'id' is null
        or json_type(record, '$.id') <> 'VARCHAR'
        or record->>'id' not in (select repo_id from latest_record)
        and not exists (
            -- an older name of a repo that was renamed is no reject
            from latest_record
            where latest_record.hub_id = record->>'_id'
        )
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
    select raw_file, repo_id, status, error_code
    from landing.card
    qualify row_number() over (
        partition by repo_id order by fetched_at desc, raw_file desc
    ) = 1
),
bad_card as (
    select
        'card' as source,
        repo_id as key,
        'fetch' as stage,
        'status ' || status || coalesce(' ' || error_code, '') as reason
    from newest_card
    where status not in (200, 404)
),
bad_page as (
    select
        facet as source,
        repo_id as key,
        'fetch' as stage,
        'status ' || status || coalesce(' ' || error_code, '') as reason
    from latest_page
    where status not in (200, 404)
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
    select source, key, stage, reason from bad_card
    union all
    select source, key, stage, reason from bad_page
    union all
    select source, key, stage, reason from bad_claim
)
order by stage, source, key, reason
