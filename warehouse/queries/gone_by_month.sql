-- When did models vanish, why, and how much were they downloaded?
-- Caveat: by the month in which it was noticed, after two sweeps and a question by name.
select
    date_trunc('month', gone_at)::date as gone_month,
    gone_reason,
    count(*) as model_count,
    sum(downloads_30d)::bigint as downloads_30d,
    median(date_diff('day', created_at, gone_at)) as age_days
from model
where gone_at is not null
group by gone_month, gone_reason
order by gone_month, gone_reason
