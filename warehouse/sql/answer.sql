-- One stored answer of the hub and where it came from: what was asked, when, by which run, and what
-- came. Bodies stay in the raw file, at the line of position (0 is the first).
-- An answer about a private repo that no listing held before is left out.
-- Grain: raw_file, position
-- Source: landing.answer
-- Kind: view
select
    raw_file,
    position,
    facet,
    repo_id,
    revision,
    page,
    path,
    url,
    final_url,
    endpoint,
    status,
    failure,
    error_code,
    etag,
    repo_commit,
    fetched_at,
    run_id,
    sweep_id,
    body_sha256,
    client,
    coalesce(query_file, false) as query_file
from landing.answer
where repo_id is null or repo_id not in (select repo_id from landing.withheld_repo)
