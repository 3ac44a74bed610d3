-- A repo's README.md as last answered; a repo whose last answer was no card has no row. That a repo
-- is gone, gated or could not be reached is no answer about its card.
-- Grain: repo_id
-- Source: the facet card
-- Kind: view
-- Columns:
--   repo_id: repo by its name now
--   revision: revision that was asked for: the commit sha that the listing named, else main
--   commit_sha: commit that the hub says the card is of; null where it did not say
--   fetched_at: UTC time of the answer
--   text: the whole file, front matter too; access tokens and e-mail addresses are masked
--   character_count: characters of text
--   front_matter: the YAML at its head by YAML 1.2 rules, as a JSON object; null where there is
--     none or it cannot be read (see rejected)
-- References:
--   repo_id -> model
select
    repo_id,
    revision,
    repo_commit as commit_sha,
    fetched_at,
    text,
    character_count,
    front_matter
from landing.card
where repo_id is not null
    and status = 200 and character_count is not null
    and repo_id not in (select repo_id from landing.unlisted_repo)
