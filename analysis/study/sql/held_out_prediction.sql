-- A value that is declared, and what a predictor said that had not been taught with it: what the
-- accuracy, coverage and calibration of a study are counted from.
-- Grain: attribute, split, repo_id, parent_id
-- Source: analysis/prediction/, model, base_model_edge, model_tag, repo_file, card
-- Columns:
--   attribute: as in attribute_prediction, or relation
--   split: how it was held out: no model of its family, none of its owner, or none as late as it
--     taught the predictor (family, owner, time)
--   repo_id: the model; of a relation the child
--   parent_id: of a relation the parent; null else
--   declared: the value that it declares
--   predicted: the likeliest value that can be told
--   probability: how probable that was said to be
--   is_told: whether that is enough to tell it
--   majority: the value that was most frequent where the predictor was taught
--   family_vote: the most frequent value in its family without itself; majority where nobody votes
-- References:
--   repo_id -> model(repo_id)
--   parent_id -> model(repo_id)
select
    attribute,
    split,
    node.repo_id,
    parent.repo_id as parent_id,
    declared,
    predicted,
    probability,
    is_told,
    majority,
    family_vote
from held_out_prediction_rows as told
join node on node.node = told.node
left join node as parent on parent.node = told.parent
order by attribute, split, node.repo_id, parent.repo_id
