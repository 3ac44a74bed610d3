-- A discussion or pull request of a repo, as listed; what is said in it is not fetched.
-- Grain: repo_id, discussion_number
-- Source: the facet discussions
-- Per: repo_id
-- Columns:
--   repo_id: repo by its name now
--   discussion_number: its number within the repo; pull requests count on with the discussions
--   title: as its author wrote it
--   status: open, closed, merged or draft, as the Hub words it
--   is_pull_request: whether it brings a change
--   created_at: UTC time when it was opened; null where none can be read
--   author: the Hub's user name of who opened it; null where the account is no more
-- References:
--   repo_id -> model
with listed as materialized (
    select
        repo_id,
        from_json(
            answer->'discussions',
            '[{"num": "BIGINT", "title": "VARCHAR", "status": "VARCHAR", "isPullRequest": "BOOLEAN",
               "createdAt": "VARCHAR", "author": {"name": "VARCHAR"}}]'
        ) as discussions
    from latest_page
    where facet = 'discussions' and status = 200
),
opened as (
    select repo_id, unnest(discussions) as entry
    from listed
)
select
    repo_id,
    entry.num as discussion_number,
    entry.title as title,
    entry.status as status,
    entry.isPullRequest as is_pull_request,
    try_cast(entry.createdAt as timestamp) as created_at,
    entry.author.name as author
from opened
where entry.num is not null
qualify row_number() over (partition by repo_id, entry.num order by created_at, title) = 1
order by repo_id, discussion_number
