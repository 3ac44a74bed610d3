-- What did each run of the crawler cost, and what did it bring?
-- Params:
--   $limit 20: rows at most
-- Caveat: query_file_count requests counted as downloads on the Hub.
select
    run_id,
    started_at,
    outcome,
    date_diff('second', started_at, ended_at) as duration_seconds,
    request_count,
    query_file_count,
    listed_count,
    answered_count
from crawl_run
order by run_id desc
limit $limit
