-- For which models do the tensors add up to another parameter count than the Hub states?
-- Params:
--   $tolerance 0.01: leaves out what differs by no more than this share
--   $limit 50: rows at most
-- Caveat: safetensors files at the repo's top only; packed weights, tied weights and files whose
-- header was not read make honest differences.
with summed as (
    select
        repo_id,
        count(*) as file_count,
        sum(parameter_count)::bigint as tensor_parameter_count
    from weight_file
    where format = 'safetensors' and not contains(path, '/')
    group by repo_id
)
select
    repo_id,
    model.parameter_count,
    summed.tensor_parameter_count,
    summed.tensor_parameter_count / model.parameter_count as ratio,
    summed.file_count
from summed
join model using (repo_id)
where abs(summed.tensor_parameter_count - model.parameter_count)
    > $tolerance * model.parameter_count
order by model.downloads_30d desc nulls last, repo_id
limit $limit
