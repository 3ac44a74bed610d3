-- Of each repo and facet the pages of the newest answer.
-- Grain: facet, repo_id, page
-- Source: landing.facet_page
with newest as (
    select facet, repo_id, raw_file
    from landing.facet_page
    where page = 0 and repo_id in (select repo_id from latest_record)
    qualify row_number() over (
        partition by facet, repo_id order by fetched_at desc, raw_file desc
    ) = 1
)
select
    facet,
    repo_id,
    page,
    revision,
    repo_commit,
    status,
    error_code,
    fetched_at,
    raw_file,
    answer
from landing.facet_page
join newest using (facet, repo_id, raw_file)
