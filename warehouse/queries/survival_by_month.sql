-- Of the models made each month, what share is still there?
-- Caveat: a model deleted before the first crawl was never known, so early months look too good;
-- gated models are still there, only closed.
-- Ref: on left truncation, Klein, Moeschberger, "Survival Analysis" (2003), chapter 3
select
    date_trunc('month', created_at)::date as created_month,
    count(*) as model_count,
    count(*) filter (where gone_reason = 'gone') as gone_count,
    count(*) filter (where gone_reason = 'disabled') as disabled_count,
    count(*) filter (where gone_reason is null or gone_reason = 'gated') / count(*)
        as survival_share
from model
where known
group by created_month
order by created_month
