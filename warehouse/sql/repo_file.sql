-- One file of a repo at the commit that the listing saw; sizes are known where the Hub gave them.
-- Grain: repo_id, path
-- Source: the record's siblings
with listed as materialized (
    -- materialized, so that the unnest below carries no whole records along
    select
        repo_id,
        record->>'sha' as commit_sha,
        from_json(
            record->'siblings',
            '[{"rfilename": "VARCHAR", "size": "BIGINT", "blobId": "VARCHAR",
               "lfs": {"sha256": "VARCHAR"}}]'
        ) as siblings
    from latest_record
    where json_type(record, '$.siblings') = 'ARRAY'
),
file as (
    select repo_id, commit_sha, unnest(siblings) as sibling
    from listed
)
select
    repo_id,
    sibling.rfilename as path,
    commit_sha,
    sibling.size as size_bytes,
    sibling.blobId as blob_id,
    sibling.lfs.sha256 as lfs_sha256
from file
where sibling.rfilename is not null
qualify row_number() over (
    partition by repo_id, path order by size_bytes desc nulls last, blob_id
) = 1
order by repo_id, path
