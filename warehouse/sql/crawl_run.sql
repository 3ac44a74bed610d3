-- One run of the crawler: what it was asked for, how it ended, and what it cost in requests.
-- query_file_count is how many of the requests count as downloads on the Hub; failures counts
-- failed answers by their name.
-- Grain: run_id
-- Source: raw/run
with newest as (
    select entry
    from landing.journal
    where facet = 'run' and try_cast(entry->>'run_id' as bigint) is not null
    qualify row_number() over (
        partition by try_cast(entry->>'run_id' as bigint) order by raw_file desc
    ) = 1
)
select
    try_cast(entry->>'run_id' as bigint) as run_id,
    entry->>'endpoint' as endpoint,
    try_cast(entry->>'started_at' as timestamp) as started_at,
    try_cast(entry->>'ended_at' as timestamp) as ended_at,
    entry->>'outcome' as outcome,
    try_cast(entry->'facets' as varchar[]) as facets,
    try_cast(entry->>'listed_count' as bigint) as listed_count,
    try_cast(entry->>'answered_count' as bigint) as answered_count,
    try_cast(entry->>'request_count' as bigint) as request_count,
    try_cast(entry->>'query_file_count' as bigint) as query_file_count,
    entry->'failures' as failures,
    try_cast(entry->'notes' as varchar[]) as notes,
    entry->>'client' as client
from newest
order by run_id
