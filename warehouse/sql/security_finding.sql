-- A file of a repo that the hub's scanners found fault with, and how grave.
-- Grain: repo_id, path
-- Source: the facet security
-- Per: repo_id
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
