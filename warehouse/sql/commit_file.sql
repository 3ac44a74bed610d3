-- The commit that last changed a file of a repo, as the hub tells beside its tree.
-- Grain: repo_id, path
-- Source: the facet commit_files
-- Per: repo_id
-- Columns:
--   repo_id: repo by its name now
--   path: file, with its folders, from the repo's top
--   commit_sha: the commit that changed it last
--   title: first line of that commit's message
--   committed_at: UTC time that the commit states; null where none can be read
-- References:
--   repo_id -> model
--   repo_id, path -> repo_file: dangles where the file was listed at another commit, or the repo's
--     files are not known
--   repo_id, commit_sha -> commit: dangles where its commits were not fetched, or were before this
--     one was made
with listed as materialized (
    select
        repo_id,
        from_json(
            answer,
            '[{"type": "VARCHAR", "path": "VARCHAR",
               "lastCommit": {"id": "VARCHAR", "title": "VARCHAR", "date": "VARCHAR"}}]'
        ) as entries
    from latest_page
    where facet = 'commit_files' and status = 200 and json_type(answer) = 'ARRAY'
),
entry as (
    select repo_id, unnest(entries) as entry
    from listed
)
select
    repo_id,
    entry.path as path,
    entry.lastCommit.id as commit_sha,
    entry.lastCommit.title as title,
    try_cast(entry.lastCommit.date as timestamp) as committed_at
from entry
where entry.type = 'file' and entry.path is not null and entry.lastCommit.id is not null
qualify row_number() over (
    partition by repo_id, entry.path order by committed_at desc nulls last, commit_sha
) = 1
order by repo_id, path
