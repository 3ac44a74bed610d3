-- What became by one time of the repos that were known, and not known to be gone, at another.
-- Counts are exact for these repos; the bounds tell of repos like these.
-- Grain: outcome
-- Source: model_as_of, alias
-- Ref: Wilson, "Probable inference, the law of succession, and statistical inference" (1927)
-- Parameters: since, until
-- Columns:
--   outcome: listed (seen again after since), renamed, gated, unseen (neither seen nor missed
--     since), gone, disabled, or replaced (its name is another repo's)
--   is_lost: true for gone, disabled and replaced; null for unseen
--   model_count: repos with this outcome
--   model_share: their share (0-1) of all known at since; null where there were none
--   low_share: lower end of Wilson's interval at 95 %
--   high_share: its upper end
with before as (
    select hub_id, repo_id
    from model_as_of(since)
    where gone_at is null
),
after as materialized (
    select hub_id, repo_id, gone_reason, last_seen_at
    from model_as_of(until)
),
fate as (
    select
        case
            when same.hub_id is null and moved.old_id is not null then 'renamed'
            when same.hub_id is null and heir.hub_id is null then 'unseen'
            -- a listing that gives no _id, or a copy on this machine, is tied by its name alone
            when same.hub_id is null
                and before.hub_id <> before.repo_id and heir.hub_id <> heir.repo_id
                and not starts_with(before.hub_id, 'local-')
                and not starts_with(heir.hub_id, 'local-')
                then 'replaced'
            when coalesce(same.gone_reason, heir.gone_reason) is not null
                then coalesce(same.gone_reason, heir.gone_reason)
            when same.repo_id <> before.repo_id then 'renamed'
            when coalesce(same.last_seen_at, heir.last_seen_at) > cast(since as timestamp)
                then 'listed'
            else 'unseen'
        end as outcome
    from before
    left join after as same on same.hub_id = before.hub_id
    left join after as heir on heir.repo_id = before.repo_id and same.hub_id is null
    left join main.alias as moved
        on moved.old_id = before.repo_id and moved.noticed_at <= cast(until as timestamp)
),
counted as (
    select outcome, count(*) as model_count
    from fate
    group by outcome
),
named(outcome, is_lost) as (
    values
    ('listed', false), ('renamed', false), ('gated', false), ('unseen', null), ('gone', true),
    ('disabled', true), ('replaced', true)
),
shared as (
    select
        outcome,
        is_lost,
        coalesce(model_count, 0) as model_count,
        nullif(sum(coalesce(model_count, 0)) over (), 0)::double as total,
        coalesce(model_count, 0) / total as p,
        1.959963984540054 as z
    from named
    left join counted using (outcome)
),
bounded as (
    select
        *,
        (p + z * z / (2 * total)) / (1 + z * z / total) as middle,
        z * sqrt(p * (1 - p) / total + z * z / (4 * total * total)) / (1 + z * z / total) as half
    from shared
)
select
    outcome,
    is_lost,
    model_count,
    p as model_share,
    case when total > 0 then greatest(middle - half, 0) end as low_share,
    case when total > 0 then least(middle + half, 1) end as high_share
from bounded
order by model_count desc, outcome
