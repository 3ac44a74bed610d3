-- A dataset that a repo declares to be trained or evaluated on.
-- Grain: repo_id, dataset_id
-- Source: the record's cardData and dataset: tags, card
-- Per: repo_id
-- Columns:
--   repo_id: repo by its name now
--   dataset_id: the dataset as declared, mostly its id on the Hub; nobody checked that it is there
--   evidence: the places that name it, sorted: card_data (the server's reading of the card),
--     front_matter (ours), tag
-- References:
--   repo_id -> model
with front as (
    select repo_id, card_data->'datasets' as said, 'card_data' as evidence
    from latest_record
    where contains(card_data, '"datasets"')
    union all
    select repo_id, front_matter->'datasets' as said, 'front_matter' as evidence
    from card
    where contains(front_matter, '"datasets"') and repo_id in (select repo_id from touched)
),
entry as (
    select
        repo_id,
        evidence,
        unnest(case json_type(said) when 'ARRAY' then cast(said as json[]) else [said] end) as entry
    from front
),
tagged as (
    select repo_id, unnest(tags) as tag
    from latest_record
),
claim as (
    select repo_id, entry->>'$' as dataset_id, evidence
    from entry
    where json_type(entry) = 'VARCHAR'
    union all
    select repo_id, substr(tag, length('dataset:') + 1) as dataset_id, 'tag' as evidence
    from tagged
    where starts_with(tag, 'dataset:')
)
select repo_id, dataset_id, list(distinct evidence order by evidence) as evidence
from claim
where dataset_id <> ''
group by repo_id, dataset_id
order by repo_id, dataset_id
