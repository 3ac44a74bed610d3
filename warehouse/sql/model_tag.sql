-- One tag of one repo, split at its first colon where it has a kind (license:mit, dataset:squad).
-- Grain: repo_id, tag
-- Source: the record's tags
-- Per: repo_id
-- Columns:
--   repo_id: repo by its name now
--   tag: the tag as the Hub lists it
--   kind: arxiv, base_model, dataset, deploy, doi, license or region; null where the tag has none
--     of these before a colon
--   tag_value: what follows the kind; the whole tag where it has none
--   position: place among the repo's tags; 1 is the first
-- References:
--   repo_id -> model
with tagged as (
    select
        repo_id,
        unnest(tags) as tag,
        generate_subscripts(tags, 1) as position
    from latest_record
),
split as (
    select
        repo_id,
        tag,
        case
            when
                split_part(tag, ':', 1) in (
                    'arxiv', 'base_model', 'dataset', 'deploy', 'doi', 'license', 'region'
                )
                and contains(tag, ':')
                then split_part(tag, ':', 1)
        end as kind,
        position
    from tagged
)
select
    repo_id,
    tag,
    kind,
    case when kind is null then tag else substr(tag, length(kind) + 2) end as tag_value,
    position
from split
