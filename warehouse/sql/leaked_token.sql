-- An access token that somebody leaked, for the operator: where it was found and the mask that
-- stands there instead. The token itself is in the raw file only.
-- Grain: source, repo_id, place, mask
-- Source: all raw files
select
    raw_file as source,
    repo_id,
    place,
    any_value(kind) as kind,
    mask,
    sum(count)::bigint as count
from landing.leak
where repo_id is null or repo_id not in (select repo_id from withheld_repo)
group by raw_file, repo_id, place, mask
order by source, repo_id, place, mask
