-- How often a trait's value of a base model became another value in what was made of it; of a trait
-- with one value, also how often it stayed. Values with much traffic alone are told.
-- An edge that lost several values and gained several is shared among their pairs.
-- Grain: trait, parent_value, child_value, twin
-- Source: base_model_edge, model, model_tag, model_language, model_dataset, card
-- Ref: Laufer, Oderinwa, Kleinberg, "Anatomy of a Machine Learning Ecosystem: 2 Million Models on
-- Hugging Face" (2025)
-- Columns:
--   trait: task, library, license, architecture, size_class, dtype, card_origin, language, dataset,
--     region or tag
--   parent_value: value that the base model had: at the child's creation where a look tells it,
--     else now; as declared, in lower case, cut to 200 characters
--   child_value: value that the child has instead; the same one where it stayed
--   twin: raw or a robust twin, as in study_measure; study_counting: as the published study counts
--   traffic: edges, as the twin weighs them; one of several pairs weighs 1 / (lost · gained)
--   share: of all traffic of this twin from parent_value to values that are told, this; 0 to 1
--   edge_count: edges that have part in it, each counted as one
--   observed_count: those of them whose parent_value is that of a look by the child's creation
--   owner_count: owners of their children
with summed as (
    -- one row an owner, trait and pair: counting rows counts owners
    select
        trait,
        parent_value,
        child_value,
        sum(raw) as raw,
        sum(owner_capped) as owner_capped,
        sum(no_bulk) as no_bulk,
        sum(dated) as dated,
        sum(study_counting) as study_counting,
        sum(edge_count)::bigint as all_edges,
        sum(if(no_bulk > 0, edge_count, 0))::bigint as no_bulk_edges,
        sum(dated_count)::bigint as dated_edges,
        sum(observed_count)::bigint as all_observed,
        sum(if(no_bulk > 0, observed_count, 0))::bigint as no_bulk_observed,
        count(*) as all_owners,
        count_if(no_bulk > 0) as no_bulk_owners,
        count_if(dated > 0) as dated_owners
    from trait_traffic
    group by trait, parent_value, child_value
),
told as (
    unpivot summed
    on raw, owner_capped, no_bulk, dated, study_counting
    into name twin value traffic
)
select
    trait,
    parent_value,
    child_value,
    twin,
    traffic,
    traffic / sum(traffic) over (partition by trait, twin, parent_value) as share,
    case twin when 'no_bulk' then no_bulk_edges when 'dated' then dated_edges else all_edges end
        as edge_count,
    case twin when 'no_bulk' then no_bulk_observed else all_observed end as observed_count,
    cast(
        case twin
            when 'no_bulk' then no_bulk_owners
            when 'dated' then dated_owners
            else all_owners
        end as bigint
    ) as owner_count
from told
where traffic > 0
order by trait, twin, traffic desc, parent_value, child_value
