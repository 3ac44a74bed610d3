-- A repo and a base model that it was made from, counted once however often it is declared.
-- The relation is the one that the strongest evidence names: tags, then cardData, then the card's
-- front matter, then its sentences; unknown only where none names one.
-- position is the place among the child's declarations. A base model that has been renamed since it
-- was declared is named as it is now.
-- Grain: child_id, parent_id
-- Source: base_model_evidence, alias
-- Per: child_id
with present_name as (
    select old_id, repo_id
    from alias
    where repo_id in (select repo_id from latest)
        and old_id not in (select repo_id from latest)
),
ranked as (
    select
        child_id,
        coalesce(present_name.repo_id, parent_id) as parent_id,
        relation,
        evidence,
        position,
        list_position(['tag', 'card_data', 'front_matter', 'card_text'], evidence) as strength,
        list_position(
            ['quantized', 'adapter', 'merge', 'finetune', 'unknown'], relation
        ) as narrowness
    from base_model_evidence
    left join present_name on present_name.old_id = parent_id
    where refusal is null
        and child_id in (select repo_id from touched)
        and coalesce(present_name.repo_id, parent_id) <> child_id
)
select
    child_id,
    parent_id,
    arg_min(relation, (relation = 'unknown', strength, narrowness)) as relation,
    list(distinct evidence order by evidence) as evidence,
    arg_min(position, (strength, position)) as position
from ranked
group by child_id, parent_id
order by child_id, position, parent_id
