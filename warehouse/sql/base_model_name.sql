-- A declared base model that no known repo is called, and the known repo that is meant.
-- A name is read as an old one first, then as one that differs by case from a single known repo,
-- then as one of the Hub's own repos from the time when they had no owner.
-- Grain: declared_id
-- Source: base_model_evidence, alias, ownerless_name.sql
-- Columns:
--   declared_id: the base model as somebody spells it
--   repo_id: the repo that is meant
--   resolved_by: rename (see alias), case (upper and lower case differ, and no other known repo
--     differs by case alone) or owner (gpt2 is openai-community/gpt2 since January 2024)
-- References:
--   repo_id -> model
with unknown_name as (
    select distinct parent_id as declared_id
    from base_model_evidence
    where refusal is null and parent_id not in (select repo_id from latest)
),
renamed as (
    select old_id, repo_id
    from alias
    where repo_id in (select repo_id from latest)
),
alike as (
    select lower(repo_id) as lower_id, min(repo_id) as repo_id
    from latest
    where lower(repo_id) in (select lower(declared_id) from unknown_name)
    group by lower_id
    having count(*) = 1
),
owned as (
    select old_id, repo_id
    from ownerless_name
    where repo_id in (select repo_id from latest)
),
resolved as (
    select
        declared_id,
        coalesce(renamed.repo_id, alike.repo_id, owned.repo_id) as repo_id,
        case
            when renamed.repo_id is not null then 'rename'
            when alike.repo_id is not null then 'case'
            else 'owner'
        end as resolved_by
    from unknown_name
    left join renamed on renamed.old_id = declared_id
    left join alike on alike.lower_id = lower(declared_id)
    left join owned on owned.old_id = lower(declared_id)
)
select declared_id, repo_id, resolved_by
from resolved
where repo_id is not null
order by declared_id
