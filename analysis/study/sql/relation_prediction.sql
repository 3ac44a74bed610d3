-- What an edge is whose relation nobody declares: finetune, adapter, quantized or merge, told from
-- the edges around it and the text of its child. Only what is probable enough is told; it is an
-- estimate and no declaration.
-- Grain: child_id, parent_id
-- Source: analysis/prediction/, model, base_model_edge, model_tag, repo_file, card
-- Ref: as attribute_prediction.
-- Columns:
--   child_id: the repo that declares the edge
--   parent_id: its base model
--   relation: the likeliest relation
--   probability: how probable it is, calibrated on owners that were held out
--   runner_up: the next relation
--   runner_up_probability: how probable that is
--   evidence: what spoke for it, strongest first
-- References:
--   child_id -> model(repo_id)
--   parent_id -> model(repo_id)
select
    child.repo_id as child_id,
    parent.repo_id as parent_id,
    value as relation,
    probability,
    runner_up,
    runner_up_probability,
    evidence
from relation_prediction_rows as told
join node as child on child.node = told.node
join node as parent on parent.node = told.parent
order by child_id, parent_id
