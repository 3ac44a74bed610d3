-- How often a model of one licence class was made from a model of another.
-- Edges of which an end declares no licence, or one that cannot be told, are left out.
-- Grain: parent_class, child_class, relation
-- Source: model_license, base_model_edge
-- Ref: Laufer, Oderinwa, Kleinberg, "Anatomy of a Machine Learning Ecosystem: 2 Million Models on
-- Hugging Face" (2025), for drift of licences along edges; classes are our own.
-- Columns:
--   parent_class: class of the base model's licence, see license_rule
--   child_class: class of the child's
--   relation: how the child was made, as in base_model_edge
--   edge_count: edges
--   owner_capped_count: edges, those of one owner together counted as ten at most
--   no_bulk_count: edges whose child is of no bulk uploader
select
    parent_class,
    child_class,
    relation,
    edge_count,
    owner_capped_count,
    no_bulk_count
from license_drift_rows
order by parent_class, child_class, relation
