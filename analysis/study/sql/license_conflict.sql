-- A duty that an ancestor's licence, or a dataset's, lays on a model and that the licence which the
-- model declares does not keep, along any path of declared lineage. Advice, no legal judgement.
-- What an owner drops of their own work is no conflict. A model whose licence is unknown has none
-- but by its name or by being published at all. Of ancestors that lay on the same duty by the same
-- licence a model is told of the 64 nearest at each of its parents.
-- Grain: child_id, obligation, origin_id, origin_kind
-- Source: model_license, license_rule, base_model_edge, model_dataset, dataset_license
-- Columns:
--   child_id: the model
--   child_license: what it declares, as in model_license; ? for what cannot be told, null for
--     nothing
--   obligation: the duty: share_alike, use_restrictions, non_commercial, research_only,
--     no_derivatives or naming, see license_rule
--   origin_id: the ancestor or dataset whose licence lays it on
--   origin_kind: model or dataset
--   origin_license: that licence
--   hops: fewest edges from the origin to the model
--   verdict: conflict, or unclear
--   unclear_because: license (whether the declared licence keeps it is open), relation (whether it
--     passes on to what is made so is open); null for a conflict
--   drop_parent_id: the model or dataset from which the first edge leads on which it was dropped,
--     nearest to the origin over all paths; null where nobody drops it. In a cycle, which
--     counts as one model, the parent by which it is entered
--   drop_child_id: the model that this edge leads to: the first that does not keep it
--   drop_hops: edges from the origin to there
--   may_be_earlier: whether a licence on a way there is unknown, so that it may have been dropped
--     before; null where nobody drops it
-- References:
--   child_id -> model(repo_id)
--   drop_child_id -> model(repo_id)
--   origin_id -> model(repo_id): dangles where it is a dataset
--   drop_parent_id -> model(repo_id): dangles where it is a dataset
select
    child_id,
    child_license,
    obligation,
    origin_id,
    origin_kind,
    origin_license,
    hops,
    verdict,
    unclear_because,
    drop_parent_id,
    drop_child_id,
    drop_hops,
    may_be_earlier
from license_conflict_rows
order by child_id, obligation, origin_kind, origin_id
