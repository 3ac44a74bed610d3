-- For how many models is each natural language declared?
-- Params:
--   $limit 30: rows at most
-- Caveat: as authors declare and spell it; English is often left unsaid.
select language, count(*) as model_count
from model_language
group by language
order by model_count desc, language
limit $limit
