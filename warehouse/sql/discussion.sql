-- A discussion or pull request of a repo, as listed; what is said in it is not fetched.
-- Grain: repo_id, discussion_number
-- Source: the facet discussions
-- Per: repo_id
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
