-- What could not be taken in, and why?
-- Params:
--   $limit 50: rows at most
with reduced as (
    select stage, regexp_replace(reason, ': .*', '', 's') as reason, key
    from rejected
)
select stage, reason, count(*) as rejected_count, min(key) as first_key
from reduced
group by stage, reason
order by rejected_count desc, stage, reason
limit $limit
