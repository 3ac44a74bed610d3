-- A field of a repo's record that this version has no column for and did not know of, or whose
-- value is not what its column holds. The value is kept in model_metadata.other_fields.
-- Grain: repo_id, field
-- Source: the record's fields that no column took
-- Per: repo_id
-- Columns:
--   repo_id: repo by its name now
--   field: the field as the hub spells it
--   kind: unknown (a field that is new to this version) or unfit (another type than its column has,
--     or beyond its bounds; see rejected)
--   json_type: type of the value: OBJECT, ARRAY, VARCHAR, UBIGINT, BIGINT, DOUBLE or BOOLEAN
-- References:
--   repo_id -> model
with kept as (
    select
        repo_id,
        other_fields,
        json_keys(other_fields) as fields,
        json_type(other_fields, ['$.config', '$.gguf', '$.safetensors']) as types
    from latest_record
    where other_fields is not null
),
found as (
    select
        repo_id,
        other_fields,
        unnest(list_filter(fields, lambda field: not list_contains(
            -- what the Hub is known to tell and no column holds
            [
                'baseModels', 'childrenModelCount', 'config', 'evalResults', 'gguf', 'inference',
                'inferenceProviderMapping', 'mask_token', 'model-index', 'modelId',
                'resourceGroup', 'safetensors', 'securityRepoStatus', 'spaces',
                'transformersInfo', 'widgetData', 'xetEnabled'
            ],
            field
        ))) as field
    from kept
    union all
    -- columns are read from within these
    select
        repo_id,
        other_fields,
        unnest(list_filter(
            ['config', 'gguf', 'safetensors'], lambda field, place: types[place] <> 'OBJECT'
        )) as field
    from kept
)
select
    repo_id,
    field,
    case
        when field in (
            '_id', 'author', 'cardData', 'config', 'createdAt', 'disabled', 'downloads',
            'downloadsAllTime', 'gated', 'gguf', 'lastModified', 'library_name', 'likes',
            'localPath', 'pipeline_tag', 'private', 'safetensors', 'sha', 'siblings', 'tags',
            'trendingScore', 'usedStorage'
        ) then 'unfit'
        else 'unknown'
    end as kind,
    -- a JSON pointer: unlike a path it can name any field
    json_type(other_fields, '/' || replace(replace(field, '~', '~0'), '/', '~1')) as json_type
from found
