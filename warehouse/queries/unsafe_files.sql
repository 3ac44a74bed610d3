-- Which files do the Hub's scanners call unsafe or suspicious?
-- Params:
--   $limit 50: rows at most
-- Caveat: a scanner's suspicion, no verdict; null where the files were not asked about.
select
    file.repo_id,
    file.path,
    file.security_status,
    file.size_bytes,
    model.downloads_30d
from repo_file as file
join model using (repo_id)
where file.security_status in ('unsafe', 'suspicious', 'caution')
order by model.downloads_30d desc nulls last, file.repo_id, file.path
limit $limit
