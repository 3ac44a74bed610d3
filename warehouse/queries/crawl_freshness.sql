-- How old is the last look at the models, and how much do the old looks matter?
-- Caveat: age is measured from the newest look of all, not from now; vanished models are not in.
with aged as (
    select
        date_diff('second', last_seen_at, (select data_as_of from build)) / 86400 as age_days,
        downloads_30d
    from model
    where known and gone_at is null
),
classed as (
    select
        case
            when age_days <= 1 then '1: up to a day'
            when age_days <= 7 then '2: up to a week'
            when age_days <= 30 then '3: up to 30 days'
            else '4: older'
        end as look_age,
        downloads_30d
    from aged
)
select
    look_age,
    count(*) as model_count,
    count(*) / sum(count(*)) over () as model_share,
    sum(downloads_30d) / sum(sum(downloads_30d)) over () as downloads_share
from classed
group by look_age
order by look_age
