-- A weight file whose header was read, and what it says of the whole. Files that the repo no longer
-- holds have no row. header_byte_count is null where the hub gave the header parsed; metadata keeps
-- of a GGUF file's arrays only their element type and count.
-- Grain: repo_id, path
-- Source: the facet tensors
-- Per: repo_id
with newest as (
    select *
    from landing.weight_file
    where repo_id in (select repo_id from latest_record)
    qualify row_number() over (
        partition by repo_id, path order by fetched_at desc, raw_file desc, position desc
    ) = 1
)
select
    repo_id,
    path,
    format,
    tensor_count,
    parameter_count,
    header_byte_count,
    metadata,
    coalesce(repo_commit, nullif(revision, 'main')) as commit_sha,
    raw_file,
    position
from newest
where (repo_id, path) in (select (repo_id, path) from repo_file)
    or repo_id not in (select repo_id from repo_file)
order by repo_id, path
