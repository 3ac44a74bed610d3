-- One commit of a repo that a listing holds, also one that has been squashed or rewritten away
-- since.
-- Grain: repo_id, commit_sha
-- Source: the facet commits
-- Per: repo_id
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
with newest as (
    select *
    from commit_listing
    where commit_sha is not null
    qualify row_number() over (
        partition by repo_id, commit_sha
        order by answered_at desc, raw_file desc, page, place
    ) = 1
)
select
    repo_id,
    commit_sha,
    case
        when era = present_era then row_number() over (
            partition by repo_id, era = present_era
            order by answered_at desc, raw_file desc, page, place
        )
    end as position,
    title,
    message,
    committed_at,
    authors,
    era = present_era as is_current
from newest
order by repo_id, position, committed_at desc, commit_sha
