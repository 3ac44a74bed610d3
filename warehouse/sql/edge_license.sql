-- An edge whose ends both declare a licence, with both: what a licence became from a base model to
-- what was made of it.
-- Licences are as declared now, not as they bind.
-- Grain: child_id, parent_id
-- Source: base_model_edge, model
-- Ref: Laufer, Oderinwa, Kleinberg, "Anatomy of a Machine Learning Ecosystem: 2 Million Models on
-- Hugging Face" (2025)
-- Columns:
--   child_id: the model that was made
--   parent_id: the base model
--   relation: how it was made, as in base_model_edge
--   child_license: licence of the child, as in model
--   parent_license: licence of the base model, as in model
--   child_author: owner of the child: bulk uploaders weigh much where edges are counted
-- References:
--   child_id, parent_id -> base_model_edge
--   child_id -> model(repo_id)
--   parent_id -> model(repo_id)
select
    edge.child_id,
    edge.parent_id,
    edge.relation,
    child.license as child_license,
    parent.license as parent_license,
    child.author as child_author
from base_model_edge as edge
join model as child on child.repo_id = edge.child_id
join model as parent on parent.repo_id = edge.parent_id
where child.license is not null and parent.license is not null
order by edge.child_id, edge.parent_id
