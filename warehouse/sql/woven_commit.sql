-- The commits of a repo that several answers have told of, woven together.
-- Grain: repo_id, commit_sha
-- Source: the facet commits
-- Kind: landing
-- Per: repo_id
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
