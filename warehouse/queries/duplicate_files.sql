-- Which large files lie in several repos, byte for byte the same?
-- Params:
--   $least_bytes 100000000: leaves out smaller files
--   $limit 50: rows at most
-- Caveat: only files whose SHA-256 was fetched count. The Hub may store them once all the same.
with same as (
    select
        lfs_sha256,
        max(size_bytes) as size_bytes,
        count(*) as file_count,
        count(distinct repo_id) as repo_count,
        min(repo_id) as first_repo_id
    from repo_file
    where lfs_sha256 is not null and size_bytes >= $least_bytes
    group by lfs_sha256
    having min(repo_id) <> max(repo_id)
)
select
    lfs_sha256,
    size_bytes,
    file_count,
    repo_count,
    size_bytes * (file_count - 1) as repeated_bytes,
    first_repo_id
from same
order by repeated_bytes desc, lfs_sha256
limit $limit
