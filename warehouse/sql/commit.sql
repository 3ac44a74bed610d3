-- One commit of a repo that a listing holds, also one that has been squashed or rewritten away
-- since.
-- Grain: repo_id, commit_sha
-- Source: the facet commits
-- Kind: view
-- Columns:
--   repo_id: repo by its name now
--   commit_sha: the commit's id
--   position: place in the present history; 1 is the newest; null where it is not part of it any
--     more
--   title: first line of what its author wrote
--   message: what follows the first line; null where nothing does
--   committed_at: UTC time that the commit states; anybody can state any
--   authors: the Hub's user names of its authors, in its order
--   is_current: whether the present history holds it
-- References:
--   repo_id -> model
select
    repo_id,
    commit_sha,
    position,
    title,
    message,
    committed_at,
    authors,
    true as is_current
from landing.commit_entry
where repo_id is not null
    and repo_id not in (select repo_id from landing.woven_commit)
    and repo_id not in (select repo_id from landing.unlisted_repo)
union all by name
select
    repo_id,
    commit_sha,
    position,
    title,
    message,
    committed_at,
    authors,
    is_current
from landing.woven_commit
