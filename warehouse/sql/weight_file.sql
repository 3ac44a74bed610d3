-- A weight file whose header was read, and what it says of the whole. Files that the repo no longer
-- holds have no row.
-- Grain: repo_id, path
-- Source: the facet tensors
-- Per: repo_id
-- Columns:
--   repo_id: repo by its name now
--   path: file, with its folders, from the repo's top
--   format: safetensors or gguf
--   tensor_count: tensors in it
--   parameter_count: elements of all its tensors; packed types count as stored
--   header_byte_count: bytes of the header that were read; null where the hub gave it parsed
--   metadata: JSON object: what the header says beside its tensors; of a GGUF file's arrays only
--     element type and count
--   commit_sha: commit that it is of; null where the hub did not say
--   raw_file: raw file that holds the header
--   position: place among the weight files of that raw file; 0 is the first
-- References:
--   repo_id -> model
--   repo_id, path -> repo_file: dangles where the repo's files are not known
--   repo_id, commit_sha -> commit: dangles where its commits were not fetched, or were before this
--     one was made
with newest as (
    select *
    from landing.weight_file
    where repo_id in (select repo_id from latest_record)
    qualify row_number() over (
        partition by repo_id, path order by fetched_at desc, raw_file desc, position desc
    ) = 1
),
held as (
    select repo_id, path
    from repo_file
    where repo_id in (select repo_id from newest)
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
where (repo_id, path) in (select (repo_id, path) from held)
    or repo_id not in (select repo_id from held)
order by repo_id, path
