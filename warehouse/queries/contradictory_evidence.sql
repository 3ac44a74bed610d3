-- Where do tags, metadata and card disagree on how a model was made from its base?
-- Params:
--   $limit 50: rows at most
-- Caveat: sentences of cards are read by patterns; a card copied from the parent speaks of it.
with torn as (
    select child_id, parent_id
    from base_model_evidence
    where refusal is null and relation <> 'unknown'
    group by child_id, parent_id
    having min(relation) <> max(relation)
    order by child_id, parent_id
    limit $limit
)
select
    evidence.child_id,
    evidence.parent_id,
    list(
        evidence.evidence || ': ' || evidence.relation
        order by evidence.evidence, evidence.relation
    ) as claims
from base_model_evidence as evidence
join torn using (child_id, parent_id)
where evidence.refusal is null and evidence.relation <> 'unknown'
group by evidence.child_id, evidence.parent_id
order by evidence.child_id, evidence.parent_id
