-- A repo's README.md as last answered; a repo whose last answer was no card has no row. That a repo
-- is gone, gated or could not be reached is no answer about its card.
-- Grain: repo_id
-- Source: landing.card
with newest as (
    select *
    from landing.card
    where repo_id in (select repo_id from latest_record)
        and (failure is null or failure = 'entry-missing')
    qualify row_number() over (
        partition by repo_id order by fetched_at desc, raw_file desc
    ) = 1
)
select
    repo_id,
    revision,
    repo_commit as commit_sha,
    fetched_at,
    text,
    length(text) as character_count,
    front_matter
from newest
where status = 200 and text is not null
order by repo_id
