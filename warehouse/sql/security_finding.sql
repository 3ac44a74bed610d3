-- A file of a repo that the hub's scanners found fault with, and how grave. A repo without rows is
-- clean only where model.security_scanned is true.
-- Grain: repo_id, path
-- Source: the facet security
-- Per: repo_id
-- Columns:
--   repo_id: repo by its name now
--   path: file, with its folders, from the repo's top
--   level: how grave, in the Hub's words (unsafe, suspicious, caution, …)
-- References:
--   repo_id -> model
--   repo_id, path -> repo_file: dangles where the file was listed at another commit, or the repo's
--     files are not known
with listed as materialized (
    select
        repo_id,
        from_json(
            answer->'$.securityRepoStatus.filesWithIssues',
            '[{"path": "VARCHAR", "level": "VARCHAR"}]'
        ) as found
    from latest_page
    where facet = 'security' and status = 200
        and json_type(answer, '$.securityRepoStatus.filesWithIssues') = 'ARRAY'
),
finding as (
    select repo_id, unnest(found) as entry
    from listed
)
select
    repo_id,
    entry.path as path,
    entry.level as level
from finding
where entry.path is not null
qualify row_number() over (partition by repo_id, entry.path order by entry.level) = 1
order by repo_id, path
