-- How long are the cards of models, by how they were made from their base?
-- Caveat: a card in a template's words is as long as the template; models without card are not in.
with made as (
    select
        child_id as repo_id,
        case when min(relation) = max(relation) then max(relation) else 'several' end as relation
    from base_model_edge
    group by child_id
),
measured as (
    select
        coalesce(made.relation, 'none declared') as relation,
        count(*) as card_count,
        quantile_cont(card.character_count, [0.5, 0.9]) as quantiles
    from card
    left join made using (repo_id)
    group by coalesce(made.relation, 'none declared')
)
select
    relation,
    card_count,
    quantiles[1] as median_character_count,
    quantiles[2] as p90_character_count
from measured
order by card_count desc, relation
