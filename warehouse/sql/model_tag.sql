-- One tag of one repo, split at its first colon where it has a kind (license:mit, dataset:squad).
-- Grain: repo_id, tag
-- Source: the record's tags
with tagged as (
    select
        repo_id,
        unnest(try_cast(record->'tags' as varchar[])) as tag,
        generate_subscripts(try_cast(record->'tags' as varchar[]), 1) as position
    from latest_record
    where json_type(record, '$.tags') = 'ARRAY'
)
select
    repo_id,
    tag,
    case
        when regexp_matches(tag, '^(arxiv|base_model|dataset|deploy|doi|license|region):')
            then split_part(tag, ':', 1)
    end as kind,
    case
        when regexp_matches(tag, '^(arxiv|base_model|dataset|deploy|doi|license|region):')
            then substr(tag, strpos(tag, ':') + 1)
        else tag
    end as tag_value,
    min(position) as position
from tagged
where tag is not null
group by repo_id, tag
order by repo_id, position
