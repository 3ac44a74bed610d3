-- Of each repo and facet the pages of the newest answer that says something, for the repos that are
-- made anew in this build: that a repo is gone, gated or could not be reached takes away nothing
-- that was known of it.
-- Grain: facet, repo_id, page
-- Source: landing.facet_page
-- Kind: temporary
select
    facet,
    repo_id,
    coalesce(page, 0) as page,
    path,
    revision,
    repo_commit,
    status,
    error_code,
    fetched_at,
    raw_file,
    answer
from landing.facet_page
where facet <> 'probe' and repo_id in (select repo_id from latest_record)
qualify row_number() over (
    partition by facet, repo_id, coalesce(page, 0) order by fetched_at desc, position desc
) = 1
