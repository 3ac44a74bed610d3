-- A repo that a probe found under another name, where no listing has held the old name since.
-- Grain: old_id
-- Source: the facet probe
-- Kind: temporary
with probed as (
    select
        repo_id as old_id,
        fetched_at,
        case
            when status = 200 then coalesce(
                answer->>'id', nullif(regexp_extract(final_url, '/api/models/([^?#]+)', 1), '')
            )
        end as repo_id
    from landing.facet_page
    where facet = 'probe' and repo_id is not null
    qualify row_number() over (
        partition by old_id order by fetched_at desc, raw_file desc, position desc
    ) = 1
)
select old_id, repo_id, fetched_at as noticed_at
from probed
where repo_id <> old_id
    and old_id in (select repo_id from name_seen)
    and not exists (
        from name_seen
        where name_seen.repo_id = probed.old_id and name_seen.last_at > probed.fetched_at
    )
