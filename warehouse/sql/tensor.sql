-- A tensor of a weight file as its header describes it. shape is row-major, byte_count null for a
-- GGUF type of unknown size.
-- Grain: repo_id, path, tensor_name
-- Source: the facet tensors
-- Kind: view
select
    weight_file.repo_id,
    weight_file.path,
    entry.tensor_name,
    entry.dtype,
    entry.shape,
    entry.element_count,
    entry.byte_count
from landing.tensor as entry
join weight_file using (raw_file, position)
