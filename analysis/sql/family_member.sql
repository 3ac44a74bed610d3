-- A model's place in its family: the tree by primary parents, and its generation over all parents.
-- Every row of model has one.
-- In a cycle the members share a generation, and a cycle without outer parents has its smallest
-- repo_id as root.
-- Grain: repo_id
-- Source: analysis/trees.py over model and base_model_edge
-- Columns:
--   repo_id: the model, known or ghost
--   family_id: its family, by the root of the largest tree in it
--   cycle_id: smallest repo_id of the cycle of declarations that it is part of; null where of none
--   primary_parent_id: the one parent that places it in a tree: a tagged one, then the surest, then
--     the one with the most evidence, a known one, the first declared, the smallest id; null at a
--     root
--   root_id: where walking up primary parents ends; itself at a root
--   generation: longest path of declared edges from any root; 0 at a root
--   generation_shortest: shortest such path
--   is_root: whether it has no parent outside its cycle; of a cycle only its smallest repo_id is
--     one
-- References:
--   repo_id -> model
--   family_id -> family
--   cycle_id -> model(repo_id)
--   primary_parent_id -> model(repo_id)
--   repo_id, primary_parent_id -> base_model_edge(child_id, parent_id)
--   root_id -> model(repo_id)
select
    repo_id,
    family_id,
    cycle_id::varchar as cycle_id,
    primary_parent_id::varchar as primary_parent_id,
    root_id,
    generation,
    generation_shortest,
    is_root
from members
