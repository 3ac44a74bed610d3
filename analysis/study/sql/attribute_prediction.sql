-- An attribute that a model does not declare, told from its kin, its owner and its text. Only what
-- is probable enough is told: the threshold, and how often it is right, are in study_measure. It is
-- an estimate and no declaration.
-- Grain: repo_id, attribute
-- Source: analysis/prediction/, model, base_model_edge, model_tag, repo_file, card
-- Ref: the question is that of Horwitz et al., "We Should Chart an Atlas of All the World's Models"
-- (2025); the method is our own, see analysis/prediction/predictor.py.
-- Columns:
--   repo_id: the model that lacks it
--   attribute: pipeline_tag, library_name, license, license_family or model_type
--   value: the likeliest value
--   probability: how probable it is, calibrated on owners that were held out
--   runner_up: the next value
--   runner_up_probability: how probable that is
--   evidence: what spoke for it, strongest first: votes of its neighbours, and the token of its
--     text that weighed most
-- References:
--   repo_id -> model(repo_id)
select
    node.repo_id,
    attribute,
    value,
    probability,
    runner_up,
    runner_up_probability,
    evidence
from attribute_prediction_rows as told
join node on node.node = told.node
order by node.repo_id, attribute
