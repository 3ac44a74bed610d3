-- The commit that last changed a file of a repo, as the hub tells beside its tree.
-- Grain: repo_id, path
-- Source: the facet commit_files
-- Per: repo_id
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
