-- A repo's README.md as last answered; a repo whose last answer was no card has no row. That a repo
-- is gone, gated or could not be reached is no answer about its card.
-- Grain: repo_id
-- Source: the facet card
-- Kind: view
select
    repo_id,
    revision,
    repo_commit as commit_sha,
    fetched_at,
    text,
    length(text) as character_count,
    front_matter
from landing.card
where status = 200 and text is not null and repo_id in (select repo_id from landing.latest)
