-- A repo and a base model that it was made from, counted once however often it is declared:
-- declared lineage, not measured kinship.
-- A base model that has been renamed since it was declared is named as it is now.
-- Grain: child_id, parent_id
-- Source: base_model_evidence, alias
-- Per: child_id
-- Columns:
--   child_id: the repo that declares
--   parent_id: the base model that it declares; a model of its own row, if only as a ghost
--   relation: finetune, adapter, quantized or merge as the strongest evidence that names one says
--     (tag, then card_data, front_matter, card_text); unknown where none does
--   evidence: the places that declare it, sorted; see base_model_evidence
--   position: place among the child's declarations in the strongest of these places; 1 is the first
-- References:
--   child_id -> model(repo_id)
--   parent_id -> model(repo_id)
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
