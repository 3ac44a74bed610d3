-- A repo and a base model that it was made from, counted once however often it is declared:
-- declared lineage, not measured kinship.
-- A base model that no known repo is called is named as the repo that is meant; see base_model_name.
-- A repo's own name makes no edge; neither does a configuration file that names something without
-- owner which is no known repo, for that is a folder more often than a model. Both count as further
-- evidence for what another place declares.
-- Confidence is 1 - product of (1 - precision) over the origins that declare the edge (noisy-or),
-- each with its best precision in evidence_precision. Places of one origin count once: tag,
-- card_data and front_matter are one text, and mergekit writes its sentences from its file.
-- Programs that write several places at once make others depend on each other too: where they do,
-- it is an upper bound.
-- Grain: child_id, parent_id
-- Source: base_model_evidence, base_model_name, evidence_precision
-- Per: child_id
-- Columns:
--   child_id: the repo that declares
--   parent_id: the base model that it declares; a model of its own row, if only as a ghost
--   relation: finetune, adapter, quantized or merge as the strongest evidence that names one says
--     (tag, then card_data, front_matter, mergekit_config, adapter_config, card_text, config,
--     name); unknown where none does
--   evidence: the places that declare it, sorted; see base_model_evidence
--   position: place among the child's declarations in the strongest of these places; 1 is the first
--   resolved_by: how the declared name led to parent_id: rename, case or owner, as in
--     base_model_name; null where some place names it as it is called
--   confidence: 0 to 1, that the child was made from it, as far as its places are known to be right
--   is_contradicted: whether its places name different relations, or a place that lists all base
--     models (tag, card_data, front_matter, mergekit_config, adapter_config) leaves it out; that a
--     sentence or a name says fine-tuned does not contradict adapter
-- References:
--   child_id -> model(repo_id)
--   parent_id -> model(repo_id)
with claim as (
    select
        child_id,
        evidence.parent_id as declared_id,
        coalesce(named.repo_id, evidence.parent_id) as parent_id,
        resolved_by,
        relation,
        evidence,
        position,
        evidence in ('mergekit_config', 'adapter_config', 'config')
        and not contains(evidence.parent_id, '/')
        and coalesce(named.repo_id, evidence.parent_id) not in (select repo_id from latest)
            as is_hint
    from base_model_evidence as evidence
    left join base_model_name as named on named.declared_id = evidence.parent_id
    where refusal is null
        and child_id in (select repo_id from touched)
        and coalesce(named.repo_id, evidence.parent_id) <> child_id
),
name_hint as (
    select distinct claim.child_id, claim.parent_id, hint.relation
    from base_model_evidence as hint
    join claim using (child_id)
    where hint.evidence = 'name'
        and lower(hint.parent_id) in (
            lower(claim.parent_id),
            lower(split_part(claim.parent_id, '/', -1)),
            lower(split_part(claim.declared_id, '/', -1)),
            -- quantizers keep the owner: OWNER_NAME, OWNER-NAME
            lower(replace(claim.parent_id, '/', '_')),
            lower(replace(claim.parent_id, '/', '-'))
        )
),
place as (
    select
        child_id, parent_id, resolved_by, relation, evidence, position, is_hint,
        not is_hint
        and evidence in ('tag', 'card_data', 'front_matter', 'mergekit_config', 'adapter_config')
            as is_list
    from claim
    union all
    select
        child_id,
        parent_id,
        null as resolved_by,
        relation,
        'name' as evidence,
        1 as position,
        true as is_hint,
        false as is_list
    from name_hint
),
lists as (
    select child_id, count(distinct evidence) as list_count
    from place
    where is_list
    group by child_id
),
ranked as (
    select
        place.*,
        precision,
        case
            when evidence = 'card_text' and relation = 'merge' then 'mergekit_config'
            else origin
        end as origin,
        list_position(
            [
                'tag', 'card_data', 'front_matter', 'mergekit_config', 'adapter_config',
                'card_text', 'config', 'name'
            ],
            evidence
        ) as strength,
        list_position(
            ['quantized', 'adapter', 'merge', 'finetune', 'unknown'], relation
        ) as narrowness,
        case
            when relation = 'unknown' then null
            when relation = 'finetune' and evidence in ('card_text', 'name') then 'tuned somehow'
            else relation
        end as said
    from place
    join evidence_precision using (evidence)
),
summed as (
    select
        child_id,
        parent_id,
        arg_min(relation, (relation = 'unknown', strength, narrowness)) as relation,
        list(distinct evidence order by evidence) as evidence,
        arg_min(position, (strength, position)) as position,
        case
            when not bool_or(resolved_by is null and evidence <> 'name') then min(resolved_by)
        end as resolved_by,
        list(distinct said) as said,
        count(distinct evidence) filter (where is_list) as list_count,
        max(precision) filter (where origin = 'metadata') as metadata,
        max(precision) filter (where origin = 'mergekit_config') as mergekit_config,
        max(precision) filter (where origin = 'adapter_config') as adapter_config,
        max(precision) filter (where origin = 'card_text') as card_text,
        max(precision) filter (where origin = 'config') as config,
        max(precision) filter (where origin = 'name') as name
    from ranked
    group by child_id, parent_id
    having not bool_and(is_hint)
)
select
    child_id,
    parent_id,
    relation,
    evidence,
    position,
    resolved_by,
    round(
        1 - (1 - coalesce(metadata, 0)) * (1 - coalesce(mergekit_config, 0))
        * (1 - coalesce(adapter_config, 0)) * (1 - coalesce(card_text, 0))
        * (1 - coalesce(config, 0)) * (1 - coalesce(name, 0)),
        4
    ) as confidence,
    len(list_filter(said, lambda one: one <> 'tuned somehow')) > 1
    or (
        list_contains(said, 'tuned somehow')
        and len(list_intersect(said, ['quantized', 'merge'])) > 0
    )
    or summed.list_count < coalesce(lists.list_count, 0) as is_contradicted
from summed
left join lists using (child_id)
order by child_id, position, parent_id
