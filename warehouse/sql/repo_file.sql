-- One file of a repo: from its tree where that was fetched, else from the listing, which has sizes
-- only where the Hub gave them.
-- Grain: repo_id, path
-- Source: the facets tree and commit_files, the record's siblings
-- Per: repo_id
-- Columns:
--   repo_id: repo by its name now
--   path: file, with its folders, from the repo's top
--   extension: what follows the last dot of its name, in lower case; null where none does
--   commit_sha: commit whose files these are; null where the hub did not say
--   size_bytes: size; null where it is not known
--   blob_id: git's id of what the repo holds: the file, or the pointer to it; null where it is not
--     known
--   lfs_sha256: SHA-256 of the content where it is stored beside the repo (LFS), so equal files
--     have equal ones; null elsewhere
--   security_status: the Hub's scanners' word on it (safe, unsafe, …); null where none is known
--   local_path: where it lies on this machine; null where it was not imported from here
-- References:
--   repo_id -> model
--   repo_id, commit_sha -> commit: dangles where its commits were not fetched, or were before this
--     one was made
with current_tree as (
    -- a tree of an older commit than the listing saw is past
    select facet, repo_id, revision, repo_commit, answer
    from latest_page
    join latest_record using (repo_id)
    where facet in ('tree', 'commit_files') and status = 200 and json_type(answer) = 'ARRAY'
        and coalesce(commit_sha, revision) = revision
    -- both tell the same files: the plain tree first
    qualify dense_rank() over (partition by repo_id order by facet desc) = 1
),
listed as (
    select repo_id, commit_sha, unnest(files) as entry
    from latest_record
    where repo_id not in (select repo_id from current_tree)
),
grown as materialized (
    select
        repo_id,
        coalesce(repo_commit, nullif(revision, 'main')) as commit_sha,
        from_json(
            answer,
            '[{"type": "VARCHAR", "path": "VARCHAR", "size": "BIGINT", "oid": "VARCHAR",
               "lfs": {"oid": "VARCHAR"}}]'
        ) as entries
    from current_tree
),
leaf as (
    select repo_id, commit_sha, unnest(entries) as entry
    from grown
),
grown_file as (
    select
        repo_id,
        entry.path as path,
        commit_sha,
        entry.size as size_bytes,
        entry.oid as blob_id,
        entry.lfs.oid as lfs_sha256
    from leaf
    where entry.type = 'file' and entry.path is not null
    qualify row_number() over (
        partition by repo_id, entry.path order by entry.size desc nulls last, entry.oid
    ) = 1
),
file as (
    select
        repo_id,
        entry.path as path,
        commit_sha,
        entry.size_bytes,
        entry.blob_id,
        entry.lfs_sha256
    from listed
    union all
    select repo_id, path, commit_sha, size_bytes, blob_id, lfs_sha256
    from grown_file
),
scan as materialized (
    select
        repo_id,
        unnest(from_json(
            answer,
            '[{"path": "VARCHAR", "securityFileStatus": {"status": "VARCHAR"}}]'
        )) as entry
    from latest_page
    where facet = 'commit_files' and status = 200 and json_type(answer) = 'ARRAY'
),
scanned as (
    select
        repo_id,
        entry.path as path,
        max(entry.securityFileStatus.status) as security_status
    from scan
    group by repo_id, entry.path
)
select
    repo_id,
    path,
    nullif(lower(regexp_extract(path, '\.([^./]+)$', 1)), '') as extension,
    commit_sha,
    size_bytes,
    blob_id,
    lfs_sha256,
    scanned.security_status,
    case
        when list_contains(local_folder.paths, path) then local_folder.folder || '/' || path
    end as local_path
from file
left join scanned using (repo_id, path)
left join local_folder using (repo_id)
