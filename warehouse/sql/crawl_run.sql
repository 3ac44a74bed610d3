-- One run of the crawler: what it was asked for, how it ended, and what it cost in requests.
-- Grain: run_id
-- Source: what the crawler tells of its runs
-- Columns:
--   run_id: number of the run; a later one is larger
--   endpoint: address of the hub, or what was imported
--   started_at: UTC time of its begin
--   ended_at: UTC time of its end; null where it was killed
--   outcome: complete, incomplete (the listing was not whole), limited (as it was told to be),
--     stopped (Ctrl-C), failed or killed
--   facets: what it was to fetch of each repo, in that order
--   listed_count: models that it listed
--   answered_count: answers of facets that it stored
--   request_count: requests that it sent, retries too
--   query_file_count: requests among them that count as downloads on the Hub
--   failures: JSON object: failed answers by the failure's name
--   notes: sentences that it told its user
--   client: program and version
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
