-- Which datasets do the most models say that they were trained or evaluated on?
-- Params:
--   $limit 20: rows at most
-- Caveat: as authors declare; names are not checked against datasets that exist.
select dataset_id, count(*) as model_count
from model_dataset
group by dataset_id
order by model_count desc, dataset_id
limit $limit
