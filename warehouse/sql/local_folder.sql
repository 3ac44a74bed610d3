-- The folder of a model that was imported from this machine, and the names of its files there.
-- Grain: repo_id
-- Source: landing.record
select
    repo_id,
    record->>'localPath' as folder,
    list_transform(
        from_json(record->'siblings', '[{"rfilename": "VARCHAR"}]'),
        lambda sibling: sibling.rfilename
    ) as paths
from landing.record
where contains(record::varchar, '"localPath"') and record->>'localPath' is not null
qualify row_number() over (
    partition by repo_id order by fetched_at desc, raw_file desc, position desc
) = 1
