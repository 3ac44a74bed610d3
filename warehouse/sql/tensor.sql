-- A tensor of a weight file as its header describes it.
-- Grain: repo_id, path, tensor_name
-- Source: the facet tensors
-- Kind: view
-- Columns:
--   repo_id: repo by its name now
--   path: the weight file
--   tensor_name: as the file spells it (model.layers.0.mlp.down_proj.weight)
--   dtype: element type as the format spells it (BF16, F32, Q4_K)
--   shape: lengths of its dimensions, row-major for both formats; empty for a scalar
--   element_count: product of shape; packed types count as stored
--   byte_count: bytes in the file; null for a GGUF type of unknown size
-- References:
--   repo_id, path -> weight_file
--   repo_id -> model
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
