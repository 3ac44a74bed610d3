-- The newest record of each repo that may be taken in: one by `_id` (a renamed repo keeps it),
-- then one by name (a repo deleted and made anew has another `_id`).
-- Grain: repo_id
-- Source: landing.record
with listed as (
    select
        raw_file,
        position,
        sweep_id,
        fetched_at,
        record,
        record->>'id' as repo_id,
        coalesce(record->>'_id', record->>'id') as hub_id
    from landing.record
    where json_type(record, '$.id') = 'VARCHAR'
        and regexp_full_match(record->>'id', '[\w.\-]{1,300}(/[\w.\-]{1,300})?')
        and not regexp_matches(record->>'id', '(^|/)\.{1,2}(/|$)')
        and length(record->>'id') <= 300
),
newest_by_hub_id as (
    select *
    from listed
    qualify row_number() over (
        partition by hub_id order by fetched_at desc, raw_file desc, position desc
    ) = 1
)
select
    repo_id,
    hub_id,
    raw_file,
    fetched_at,
    record
from newest_by_hub_id
qualify row_number() over (
    partition by repo_id order by fetched_at desc, hub_id desc
) = 1
