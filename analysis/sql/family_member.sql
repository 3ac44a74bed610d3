-- A model's place in its family: the tree by primary parents, and its generation over all parents.
-- generation counts the longest path of declared edges from any root, generation_shortest the
-- shortest. cycle_id is the smallest repo_id of the cycle that it is part of.
-- In a cycle the members share a generation, and a cycle without outer parents has its smallest
-- repo_id as root.
-- Grain: repo_id
-- Source: analysis/trees.py over model and base_model_edge
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
order by repo_id
