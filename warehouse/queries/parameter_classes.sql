-- How many models are there of each size, and how much are they downloaded?
-- Caveat: sizes are as the Hub states them, null where it does not; quantized weights that pack
-- several parameters into one number count too few.
with sized as (
    select
        case
            when parameter_count < 1e8 then '1: below 100M'
            when parameter_count < 1e9 then '2: 100M to 1B'
            when parameter_count < 4e9 then '3: 1B to 4B'
            when parameter_count < 1e10 then '4: 4B to 10B'
            when parameter_count < 4e10 then '5: 10B to 40B'
            when parameter_count < 1e11 then '6: 40B to 100B'
            when parameter_count is not null then '7: 100B and more'
        end as parameter_class,
        downloads_30d
    from model
    where known and gone_at is null
)
select
    parameter_class,
    count(*) as model_count,
    count(*) / sum(count(*)) over () as model_share,
    sum(downloads_30d)::bigint as downloads_30d
from sized
group by parameter_class
order by parameter_class nulls last
