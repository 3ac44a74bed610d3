-- A branch, tag, conversion or pull request of a repo, and the commit that it points to.
-- Grain: repo_id, ref
-- Source: the facet refs
-- Per: repo_id
-- Columns:
--   repo_id: repo by its name now
--   ref: full name (refs/heads/main)
--   kind: branch, tag, convert (the Hub's own conversions, refs/convert/parquet) or pr
--   name: short name (main)
--   commit_sha: commit that it points to
-- References:
--   repo_id -> model
--   repo_id, commit_sha -> commit: dangles where commits of other branches, or none, were fetched
with kind(kind, field) as (
    values ('branch', 'branches'), ('tag', 'tags'), ('convert', 'converts'), ('pr', 'pullRequests')
),
listed as materialized (
    select
        repo_id,
        kind.kind,
        from_json(
            answer->kind.field, '[{"name": "VARCHAR", "ref": "VARCHAR", "targetCommit": "VARCHAR"}]'
        ) as refs
    from latest_page
    cross join kind
    where facet = 'refs' and status = 200 and page = 0
),
pointed as (
    select repo_id, kind, unnest(refs) as entry
    from listed
)
select
    repo_id,
    entry.ref as ref,
    kind,
    entry.name as name,
    entry.targetCommit as commit_sha
from pointed
where entry.ref is not null
qualify row_number() over (partition by repo_id, entry.ref order by kind, commit_sha) = 1
order by repo_id, ref
