-- What share of the models made each month has a card, and one with metadata?
-- Caveat: a model whose card was not fetched counts as without; all repos older than March 2022
-- carry the second of 2022-03-02 as creation.
with month as (
    select date_trunc('month', created_at)::date as created_month, count(*) as model_count
    from model
    where known
    group by created_month
),
carded as (
    select
        date_trunc('month', model.created_at)::date as created_month,
        count(*) as card_count,
        count(card.front_matter) as front_matter_count
    from card
    join model using (repo_id)
    group by created_month
)
select
    month.created_month,
    month.model_count,
    coalesce(carded.card_count, 0) as card_count,
    coalesce(carded.card_count, 0) / month.model_count as card_share,
    coalesce(carded.front_matter_count, 0) / month.model_count as front_matter_share
from month
left join carded on carded.created_month is not distinct from month.created_month
order by month.created_month
