-- The folder of a model that was imported from this machine, and the names of its files there.
-- Grain: repo_id
-- Source: landing.record
-- Kind: landing
select
    repo_id,
    local_path as folder,
    list_transform(files, lambda file: file.path) as paths
from landing.record
where local_path is not null
qualify row_number() over (
    partition by repo_id order by fetched_at desc, raw_file desc, position desc
) = 1
