-- Survival of repos by age: the Kaplan-Meier product over the repos under observation, one row an
-- age at which some were lost.
-- A repo enters at the age when it was first seen, since it could not have been seen lost before,
-- and leaves when it was last seen by until. Lost are those that a probe found gone or disabled, at
-- the time of the probe: that overstates survival by the wait for two sweeps. Repos without a time
-- of creation are left out, and so are those of 2022-03-02T23:29:04Z, where the Hub's records
-- begin. Where few are at risk at a young age, the whole curve stands on them: see at_risk_count.
-- Grain: age_days
-- Source: model
-- Ref: Kaplan, Meier, "Nonparametric estimation from incomplete observations" (1958); Tsai, Jewell,
-- Wang, "A note on the product-limit estimator under right censoring and left truncation" (1987)
-- Parameters: until
-- Columns:
--   age_days: days since creation
--   at_risk_count: repos under observation at this age
--   lost_count: of these, repos lost at it
--   survival_share: share (0-1) that survives this age
--   low_share: lower end of its interval at 95 %, by Greenwood's variance of log(-log); null once
--     all that were at risk are lost
--   high_share: its upper end, likewise
with followed as (
    select
        date_diff('day', created_at, first_seen_at) as entry_days,
        gone_at <= cast(until as timestamp)
            and gone_reason in ('gone', 'disabled') as is_lost,
        date_diff(
            'day',
            created_at,
            case
                when gone_at <= cast(until as timestamp) and gone_reason in ('gone', 'disabled')
                    then gone_at
                else least(last_seen_at, cast(until as timestamp))
            end
        ) as exit_days
    from main.model
    where known
        and first_seen_at <= cast(until as timestamp)
        and date_trunc('second', created_at) <> timestamp '2022-03-02 23:29:04'
),
step as (
    select entry_days as age_days, 1 as entered_count, 0 as left_count, 0 as lost_count
    from followed
    union all
    -- a loss at an age counts among those at risk at that age
    select
        exit_days as age_days,
        0 as entered_count,
        1 as left_count,
        coalesce(is_lost, false)::integer as lost_count
    from followed
),
daily as (
    select
        age_days,
        sum(entered_count) as entered_count,
        sum(left_count) as left_count,
        sum(lost_count) as lost_count
    from step
    group by age_days
),
at_risk as (
    select
        age_days,
        lost_count,
        sum(entered_count) over (order by age_days)
        - coalesce(
            sum(left_count) over (
                order by age_days rows between unbounded preceding and 1 preceding
            ),
            0
        ) as at_risk_count
    from daily
),
product_limit as (
    select
        age_days,
        at_risk_count,
        lost_count,
        product(1 - lost_count / at_risk_count) over (order by age_days) as survival_share,
        sum(lost_count / nullif(at_risk_count * (at_risk_count - lost_count), 0)::double)
            over (order by age_days) as relative_variance,
        bool_or(lost_count = at_risk_count) over (order by age_days) as is_over
    from at_risk
    where lost_count > 0
)
select
    age_days,
    at_risk_count::bigint as at_risk_count,
    lost_count::bigint as lost_count,
    survival_share,
    case
        when not is_over then pow(
            survival_share,
            exp(1.959963984540054 * sqrt(relative_variance) / -ln(survival_share))
        )
    end as low_share,
    case
        when not is_over then pow(
            survival_share,
            exp(-1.959963984540054 * sqrt(relative_variance) / -ln(survival_share))
        )
    end as high_share
from product_limit
order by age_days
