-- One commit of a repo, newest first as the Hub lists them.
-- Grain: repo_id, commit_sha
-- Source: the facet commits
with listed as materialized (
    select repo_id, page, cast(answer as json[]) as commits
    from latest_page
    where facet = 'commits' and status = 200 and json_type(answer) = 'ARRAY'
),
committed as (
    select
        repo_id,
        page,
        unnest(commits) as entry,
        generate_subscripts(commits, 1) as position
    from listed
)
select
    repo_id,
    entry->>'id' as commit_sha,
    row_number() over (partition by repo_id order by page, position) as position,
    entry->>'title' as title,
    entry->>'message' as message,
    try_cast(entry->>'date' as timestamp) as committed_at,
    list_transform(
        from_json(entry->'authors', '[{"user": "VARCHAR"}]'), lambda author: author.user
    ) as authors
from committed
where entry->>'id' is not null
qualify row_number() over (
    partition by repo_id, commit_sha order by page, committed.position
) = 1
order by repo_id, position
