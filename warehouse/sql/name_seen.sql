-- A name that listings gave a repo, by its hub_id: since when and until when.
-- Grain: hub_id, repo_id
-- Source: landing.look
-- Kind: landing
-- Per: repo_id
select
    hub_id,
    repo_id,
    min(observed_at) as first_at,
    max(observed_at) as last_at,
    max((observed_at, raw_file, position)) as last_look
from landing.look
group by hub_id, repo_id
