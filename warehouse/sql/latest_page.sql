-- Of each repo and facet the pages of the newest answer that says something: that a repo is gone,
-- gated or could not be reached takes away nothing that was known of it.
-- Grain: facet, repo_id, page
-- Source: landing.facet_page
with told as (
    select *
    from landing.facet_page
    where facet in (
            'tree', 'refs', 'discussions', 'commit_files', 'security', 'config', 'adapter_config',
            'mergekit_config'
        )
        and (failure is null or failure = 'entry-missing')
        and repo_id in (select repo_id from latest_record)
),
newest as (
    select facet, repo_id, raw_file
    from told
    where coalesce(page, 0) = 0
    qualify row_number() over (
        partition by facet, repo_id order by fetched_at desc, raw_file desc, position desc
    ) = 1
)
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
from told
join newest using (facet, repo_id, raw_file)
qualify row_number() over (
    partition by facet, repo_id, coalesce(page, 0) order by fetched_at desc, position desc
) = 1
