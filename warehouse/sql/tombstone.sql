-- A repo that listings no longer hold and that the hub, when asked, said is gone, disabled or
-- gated; one that was listed again since has no tombstone, nor has one that has another name now.
-- Grain: repo_id
-- Source: the facet probe
-- Columns:
--   repo_id: the repo; it keeps its row in model
--   reason: gone (deleted or made private), disabled (by the Hub) or gated
--   noticed_at: UTC time of the probe; it vanished before, and after model.last_seen_at
--   probe_status: HTTP status of the probe
-- References:
--   repo_id -> model
with newest as (
    select repo_id, fetched_at, status, failure, error_code
    from landing.facet_page
    where facet = 'probe' and repo_id is not null
    qualify row_number() over (
        partition by repo_id order by fetched_at desc, raw_file desc, position desc
    ) = 1
),
judged as (
    select
        repo_id,
        case
            when failure = 'access' then 'gated'
            -- failure tells of a repo that answered, but is private by now
            when failure = 'gone' or status in (401, 404, 410) then 'gone'
            when status in (403, 451) then 'disabled'
        end as reason,
        fetched_at as noticed_at,
        status as probe_status
    from newest
)
select repo_id, reason, noticed_at, probe_status
from judged
where reason is not null
    and repo_id in (select repo_id from name_seen)
    and repo_id not in (select old_id from alias)
    and not exists (
        from name_seen
        where name_seen.repo_id = judged.repo_id and name_seen.last_at > judged.noticed_at
    )
order by repo_id
