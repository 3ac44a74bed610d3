-- How unevenly are models and downloads spread over owners?
-- Params:
--   $top_share 0.01: which share of the owners the top share is of
-- Caveat: models without owner are left out. gini is 0 where all have the same, near 1 where one
-- has all; it speaks of owners with at least one model.
-- Ref: Gini, "Variabilità e mutabilità" (1912); Damgaard, Weiner, Ecology 81 (2000)
with owner as (
    select
        count(*) as model_count,
        coalesce(sum(downloads_30d), 0)::bigint as downloads_30d
    from model
    where known and gone_at is null and author is not null
    group by author
),
amount as (
    select 'models' as measure, model_count as amount, count(*) as owner_count
    from owner
    group by model_count
    union all
    select 'downloads_30d' as measure, downloads_30d as amount, count(*) as owner_count
    from owner
    group by downloads_30d
),
ranked as (
    select
        measure,
        amount,
        owner_count,
        -- how many owners have less, and how many have more
        sum(owner_count) over (partition by measure order by amount) - owner_count as below_count,
        sum(owner_count) over (partition by measure order by amount desc) - owner_count
            as above_count,
        sum(owner_count) over (partition by measure) as all_count,
        sum(amount * owner_count) over (partition by measure) as total
    from amount
),
weighed as (
    select
        measure,
        all_count,
        total,
        -- the sum of rank times amount, rank 1 for who has least
        amount::double * owner_count * (below_count + (owner_count + 1) / 2) as rank_amount,
        amount * least(owner_count, greatest(0, ceil(all_count * $top_share) - above_count))
            as top_amount
    from ranked
)
select
    measure,
    any_value(all_count)::bigint as owner_count,
    any_value(total)::bigint as total_count,
    2 * sum(rank_amount) / any_value(all_count * nullif(total, 0))
        - (any_value(all_count) + 1) / any_value(all_count) as gini,
    sum(top_amount) / any_value(nullif(total, 0)) as top_owners_share
from weighed
group by measure
order by measure
