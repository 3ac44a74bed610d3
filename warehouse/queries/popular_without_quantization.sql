-- Which popular models has nobody quantized yet?
-- Params:
--   $least_parameters 1000000000: leaves out models that state fewer parameters
--   $limit 20: rows at most
-- Caveat: a quantization that declares no base model is not seen.
with candidate as (
    select repo_id, downloads_30d, parameter_count, license
    from model
    where gone_at is null and parameter_count >= $least_parameters
),
quantization as (
    select unnest([child_id, parent_id]) as repo_id
    from base_model_edge
    where relation = 'quantized'
)
select repo_id, downloads_30d, parameter_count, license
from candidate
where repo_id not in (select repo_id from quantization)
order by downloads_30d desc nulls last, repo_id
limit $limit
